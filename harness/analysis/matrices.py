"""The report's statistics for matrices of scores from anywhere: arrays in, tables out.

Scores are given as rliable takes them: for each method one array ``(runs, tasks)``, tasks in the same order for all. Runs are
seeds, which are the unit of replication, never episodes; methods may have different numbers of them. NaN stands for a run
that is missing, which costs its task a run and nothing else. Definitions and intervals: `harness.analysis.statistics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from harness.analysis import statistics
from harness.analysis.bootstrap import EXPANDED, INTERVAL_KINDS, IntervalKind
from harness.analysis.statistics import Array, named_generator
from harness.errors import UnknownNameError, UserError

Scores = Mapping[str, ArrayLike]
"""For each method its scores, ``(runs, tasks)``; NaN for a missing run."""

_ESTIMATE = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_N_THRESHOLDS = 101


def normalise_scores(scores: Scores, low: ArrayLike, high: ArrayLike) -> dict[str, Array]:
    """Scores as ``(score - low) / (high - low)``, so that tasks can be averaged.

    Args:
        scores: Raw scores, see `Scores`.
        low: The score of each task that counts as 0, such as a random agent's, ``(tasks,)``.
        high: The score of each task that counts as 1, such as a human's, ``(tasks,)``.

    Returns:
        For each method float64 ``(runs, tasks)``.

    Raises:
        UserError: A shape does not fit, or ``low`` and ``high`` are the same for a task.
    """
    checked = _matrices(scores)
    tasks = next(iter(checked.values())).shape[1]
    start, end = (np.asarray(values, dtype=np.float64) for values in (low, high))
    for name, values in (("low", start), ("high", end)):
        if values.shape != (tasks,):
            raise UserError(f"{name} must have one number for each of {tasks} tasks, not shape {values.shape}")
    if not np.all(np.isfinite(start) & np.isfinite(end) & (start != end)):
        raise UserError("low and high must be finite and different for every task")
    return {method: (matrix - start) / (end - start) for method, matrix in checked.items()}


def aggregate_scores(
    scores: Scores,
    *,
    seed: int = 0,
    n_resamples: int = statistics.N_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> pl.DataFrame:
    """Interquartile mean, median, mean and optimality gap of each method, with intervals of 95 %.

    Args:
        scores: Normalised scores, see `Scores` and `normalise_scores`.
        seed: Seed of the resamples; each method's depend on its name and the seed alone.
        n_resamples: Resamples of the bootstrap.
        intervals: ``expanded`` for intervals that hold few seeds, ``rliable`` for the percentiles that rliable gives.

    Returns:
        Columns ``method``, ``metric`` (``iqm``, ``median``, ``mean``, ``optimality_gap``), ``value``, and the interval's ends
        ``low`` and ``high``, null where some task has fewer than 3 runs.

    Raises:
        UserError: Scores are not matrices of the same tasks.
    """
    rows = [
        (method, metric, *estimate)
        for method, task_scores in _by_task(scores).items()
        for metric, estimate in statistics.aggregates(
            task_scores, _random(seed, "aggregates", method), n_resamples, _known(intervals)
        ).items()
    ]
    return pl.DataFrame(rows, schema={"method": pl.String, "metric": pl.String, **_ESTIMATE}, orient="row")


def probability_of_improvement(
    scores: Scores,
    baseline: str,
    *,
    seed: int = 0,
    n_resamples: int = statistics.N_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> pl.DataFrame:
    """The chance that a run of a method scores more than a run of the baseline on the same task, averaged over tasks.

    Args:
        scores: See `Scores`; only order within a task counts, so that raw scores serve as well as normalised ones.
        baseline: The method to compare all others with.
        seed: Seed of the resamples.
        n_resamples: Resamples of the bootstrap.
        intervals: ``expanded`` for intervals that hold few seeds, ``rliable`` for the percentiles that rliable gives.

    Returns:
        Columns ``baseline``, ``method``, ``value``, and the interval's ends ``low`` and ``high``, null where some task has
        fewer than 3 runs of either.

    Raises:
        UserError: The baseline is not among the methods, or scores are not matrices of the same tasks.
    """
    by_task = _by_task(scores)
    if baseline not in by_task:
        raise UnknownNameError("baseline", baseline, by_task)
    reference = by_task[baseline]
    rows = [
        (
            baseline,
            method,
            *statistics.probability_of_improvement(
                task_scores, reference, _random(seed, baseline, method), n_resamples, _known(intervals)
            ),
        )
        for method, task_scores in by_task.items()
        if method != baseline
    ]
    return pl.DataFrame(rows, schema={"baseline": pl.String, "method": pl.String, **_ESTIMATE}, orient="row")


def performance_profiles(
    scores: Scores,
    thresholds: ArrayLike | None = None,
    *,
    seed: int = 0,
    n_resamples: int = statistics.N_BAND_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> pl.DataFrame:
    """The fraction of each method's runs that score more than each threshold.

    Args:
        scores: Normalised scores, see `Scores` and `normalise_scores`.
        thresholds: ``(K,)``; by default 101 from the smallest score or 0 to the largest or 1.
        seed: Seed of the resamples.
        n_resamples: Resamples of the bootstrap.
        intervals: ``expanded`` for intervals that hold few seeds, ``rliable`` for the percentiles that rliable gives.

    Returns:
        Columns ``method``, ``threshold``, ``value``, and the interval's ends ``low`` and ``high``, null where some task has
        fewer than 3 runs.

    Raises:
        UserError: Scores are not matrices of the same tasks, or thresholds not one row of numbers.
    """
    by_task = _by_task(scores)
    grid = _default_thresholds(by_task) if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    if grid.ndim != 1 or not grid.size or not np.isfinite(grid).all():
        raise UserError(f"thresholds must be one row of finite numbers, not of shape {grid.shape}")
    parts = [pl.DataFrame(schema={"method": pl.String, "threshold": pl.Float64, **_ESTIMATE})]
    for method, task_scores in by_task.items():
        random = _random(seed, "profiles", method)
        band = statistics.performance_profile(task_scores, grid, random, n_resamples, _known(intervals))
        columns = {"threshold": grid, **dict(zip(_ESTIMATE, band, strict=True))}
        parts.append(pl.DataFrame(columns).select(pl.lit(method).alias("method"), pl.all()).fill_nan(None))
    return pl.concat(parts)


def _known(intervals: IntervalKind) -> IntervalKind:
    if intervals not in INTERVAL_KINDS:
        raise UnknownNameError("kind of intervals", intervals, INTERVAL_KINDS)
    return intervals


def _random(seed: int, *names: str) -> np.random.Generator:
    return named_generator(str(seed), *names)


def _default_thresholds(by_task: Mapping[str, Sequence[Array]]) -> Array:
    everything = np.concatenate([np.array([0.0, 1.0]), *(task for tasks in by_task.values() for task in tasks)])
    return cast(Array, np.linspace(everything.min(), everything.max(), _N_THRESHOLDS))


def _by_task(scores: Scores) -> dict[str, list[Array]]:
    """For each method one array of its runs' scores per task, without what is missing."""
    by_task = {method: [task[~np.isnan(task)] for task in matrix.T] for method, matrix in _matrices(scores).items()}
    for method, tasks in by_task.items():
        empty = [index for index, task in enumerate(tasks) if not task.size]
        if empty:
            raise UserError(
                f"method {method!r} has no score on task {empty[0]} (counted from 0): leave the task out for all methods"
            )
    return by_task


def _matrices(scores: Scores) -> dict[str, Array]:
    """The scores as float64 matrices of the same tasks."""
    if not scores:
        raise UserError("scores must have at least one method: {'ppo': an array (runs, tasks)}")
    matrices = {method: np.asarray(values, dtype=np.float64) for method, values in scores.items()}
    first, tasks = next(iter(matrices)), 0
    for method, matrix in matrices.items():
        if matrix.ndim != 2 or not matrix.size:
            hint = "; for one task use scores[:, None]" if matrix.ndim == 1 and matrix.size else ""
            raise UserError(f"scores of {method!r} must have shape (runs, tasks), not {matrix.shape}{hint}")
        if np.isinf(matrix).any():
            raise UserError(f"scores of {method!r} hold an infinite number; NaN stands for a missing run")
        tasks = tasks or matrix.shape[1]
        if matrix.shape[1] != tasks:
            raise UserError(
                f"all methods need the same tasks: {first!r} has {tasks}, and {method!r} has {matrix.shape[1]} "
                "(rows are runs, columns are tasks)"
            )
    return matrices
