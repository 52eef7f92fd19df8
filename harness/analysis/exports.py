"""Scores in the formats of other programs: arrays of NumPy, matrices as rliable takes them, and the raw data of marl-eval.

rliable (Agarwal et al. 2021) takes for each method one array ``(runs, tasks)``; marl-eval (Gorsane et al. 2022) a tree of
environments, tasks, algorithms, runs and evaluation steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from harness.analysis.parts import parts_of
from harness.runs.results import Results


def rliable_matrices(results: Results, suite: str) -> dict[str, Any]:
    """The final scores of a suite as matrices.

    Args:
        results: What was read.
        suite: Which suite of it.

    Returns:
        ``tasks`` and ``seeds`` in the order of columns and rows; for each method under ``scores`` a matrix of raw scores and
        under ``normalised`` one of normalised scores, ``(seeds, tasks)`` with ``None`` for a run without a score. Methods
        without any normalised score are left out of the latter, and so are tasks that have no constants; what is left is
        listed as ``normalised_tasks``.
    """
    runs = results.runs.filter(~pl.col("superseded"), suite=suite)
    tasks, seeds = (runs[name].unique().sort().to_list() for name in ("task", "seed"))
    usable = runs.drop_nulls("normalised")["task"].unique().sort().to_list()
    return {
        "suite": suite,
        "tasks": tasks,
        "seeds": seeds,
        "scores": _matrices(runs, "score", tasks, seeds),
        "normalised_tasks": usable,
        "normalised": _matrices(runs, "normalised", usable, seeds),
    }


def _matrices(runs: pl.DataFrame, column: str, tasks: list[str], seeds: list[int]) -> dict[str, list[list[float | None]]]:
    known = runs.drop_nulls(column)
    cells = {(label, seed, task): score for label, seed, task, score in known.select("label", "seed", "task", column).rows()}
    labels = known["label"].unique().sort().to_list()
    return {label: [[cells.get((label, seed, task)) for task in tasks] for seed in seeds] for label in labels}


def score_arrays(results: Results, suite: str) -> dict[str, np.ndarray]:
    """The final scores of a suite as arrays, with the names of what their axes are.

    Args:
        results: What was read.
        suite: Which suite of it.

    Returns:
        ``suite``, text ``()``; ``methods`` and ``tasks``, text, and ``seeds``, int64, along the axes; ``scores`` and
        ``normalised``, float64 ``(methods, seeds, tasks)``, NaN for a run without a score and in the latter on tasks without
        constants; these constants as ``low`` and ``high``, float64 ``(tasks,)``, NaN where there are none.
    """
    runs = results.runs.filter(~pl.col("superseded"), suite=suite)
    axes = [runs[name].unique().sort().to_list() for name in ("label", "seed", "task")]
    methods, seeds, tasks = axes
    places = [{name: i for i, name in enumerate(axis)} for axis in axes]
    constants = {task: ends for task, *ends in results.tasks.filter(suite=suite).select("task", "low", "high").rows()}
    ends = np.array([constants.get(task, (None, None)) for task in tasks], dtype=np.float64)
    arrays = {
        "suite": np.array(suite),
        "methods": np.array(methods),
        "seeds": np.array(seeds, np.int64),
        "tasks": np.array(tasks),
    }
    for column in ("scores", "normalised"):
        values = arrays[column] = np.full([len(axis) for axis in axes], np.nan)
        name = column.removesuffix("s")
        for *key, score in runs.drop_nulls(name).select("label", "seed", "task", name).rows():
            values[tuple(place[part] for place, part in zip(places, key, strict=True))] = score
    return arrays | {"low": ends[:, 0], "high": ends[:, 1]}


def marl_eval_data(results: Results) -> dict[str, Any]:
    """The evaluations of finished runs as marl-eval reads them, suites being its environments and methods its algorithms.

    Each list holds one number, the mean over the episodes of an evaluation, which marl-eval allows. Its ``absolute_metrics``,
    meant for the best policy of a run, hold the last evaluation, which is what a run's score is here. Of measurements beside
    the return, those are given that every evaluation of a suite has.

    Args:
        results: What was read.
    """
    finished = results.runs.filter(~pl.col("superseded"), state="finished").drop_nulls("score")
    finite = results.evaluations.filter(pl.col("return").is_finite())
    evaluations = parts_of(finite, "folder")
    data: dict[str, Any] = {}
    for suite in finished["suite"].unique().sort():
        runs = finished.filter(suite=suite)
        measured = _measured(finite.join(runs.select("folder"), on="folder", how="semi"))
        tree: dict[str, Any] = data.setdefault(suite, {})
        for task, label, seed, folder in runs.select("task", "label", "seed", "folder").rows():
            tree.setdefault(task, {}).setdefault(label, {})[f"seed_{seed}"] = _run(evaluations[folder,], measured)
    return data


def _measured(evaluations: pl.DataFrame) -> list[str]:
    """The measurements that each of some evaluations has, the return first."""
    names = [name for name in evaluations.columns if name not in ("folder", "step", "episodes")]
    return [name for name in names if evaluations[name].is_finite().fill_null(value=False).all()]


def _run(evaluations: pl.DataFrame, measured: list[str]) -> dict[str, Any]:
    rows = evaluations.select("step", *measured).rows()
    run: dict[str, Any] = {
        f"step_{i}": {"step_count": step, **{name: [value] for name, value in zip(measured, values, strict=True)}}
        for i, (step, *values) in enumerate(rows, 1)
    }
    _, *last = rows[-1]
    return {**run, "absolute_metrics": {name: [value] for name, value in zip(measured, last, strict=True)}}
