"""What tasks measure beside the return, over training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from harness.analysis.bootstrap import Array
from harness.analysis.curves import align_curves
from harness.analysis.parts import parts_of
from harness.analysis.suite_scores import SuiteScores

_NO_MEASUREMENTS = frozenset({"folder", "step", "episodes", "return", "cut"})


def measurement_rows(data: SuiteScores) -> Iterator[tuple[object, ...]]:
    """The mean over seeds, the smallest and the largest, of every measurement at every evaluation of runs in any state."""
    names = [name for name in data.evaluations.columns if name not in _NO_MEASUREMENTS]
    if not names:
        return
    by_folder = parts_of(data.evaluations, "folder")
    runs = parts_of(data.runs.drop_nulls("folder").sort("seed", "folder"), "task", "label")
    for task in data.tasks:
        for label in data.labels:
            cell = runs.get((task, label))
            folders = [] if cell is None else cell["folder"].to_list()
            measured = [by_folder[folder,] for folder in folders if (folder,) in by_folder]
            for name in names:
                yield from ((data.suite, task, label, name, *point) for point in _points(measured, name))


def _points(runs: list[pl.DataFrame], name: str) -> Iterator[tuple[object, ...]]:
    curves = [curve for run in runs if len((curve := _curve(run, name))[0])]
    if not curves:
        return
    grid, values, _ = align_curves(curves)
    values = values[:, known] if not (known := ~np.isnan(values).all(axis=0)).all() else values
    facts = np.nanmean(values, axis=0), np.nanmin(values, axis=0), np.nanmax(values, axis=0), (~np.isnan(values)).sum(axis=0)
    for step, mean, low, high, count in zip(grid[known].tolist(), *(one.tolist() for one in facts), strict=True):
        yield int(step), mean, low, high, count, len(curves)


def _curve(run: pl.DataFrame, name: str) -> tuple[Array, Array]:
    """Steps at which something was measured, and what it was."""
    steps, values = run["step"].to_numpy().astype(np.float64), run[name].to_numpy()
    known = np.isfinite(values)
    return steps[known], values[known]
