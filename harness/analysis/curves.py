"""Learning curves: a statistic over tasks and seeds at every point of training, with a band; pure functions of arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.analysis import bootstrap, exact, statistics
from harness.analysis.bootstrap import (
    CONFIDENCE_LEVEL,
    EXPANDED,
    MIN_SEEDS,
    N_BAND_RESAMPLES,
    RLIABLE,
    Array,
    Band,
    Expansion,
    IntervalKind,
    Statistic,
    Strata,
    TaskScores,
    resampled,
)


def curve(
    task_scores: TaskScores,
    rng: np.random.Generator,
    *,
    iqm: bool,
    n_resamples: int = N_BAND_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> Band:
    """A statistic of every task's and seed's score at K points of training, whole runs being resampled.

    The band holds the whole curve; rliable's holds at each point by itself.

    Args:
        task_scores: One array ``(n_t, K)`` per task; NaN where a run has no score yet. A point at which some task has no
            score at all has no value.
        rng: The stream of the resamples.
        iqm: Interquartile mean over tasks and seeds if true, else the mean over tasks of each task's mean.
        n_resamples: Number of bootstrap resamples.
        intervals: How the band is made.
    """
    parts = _parts(task_scores)
    points = task_scores[0].shape[1]
    value, low, high = (np.full(points, np.nan) for _ in range(3))
    lasting = sum(int(at.sum()) for at, here in parts if min(map(len, here)) >= MIN_SEEDS)
    for at, here in parts:
        strata, scores = Strata.of(here), np.concatenate(here)
        statistic = _curve_statistic(strata, scores, iqm=iqm)
        value[at] = statistic(strata.point_weights)[0]
        if min(strata.sizes) < MIN_SEEDS:
            continue
        values = resampled(strata, statistic, rng, n_resamples)
        if intervals == RLIABLE:
            low[at], high[at] = np.quantile(values, bootstrap.PLAIN_QUANTILES, axis=0)
            continue
        level = 1 - (1 - CONFIDENCE_LEVEL) * int(at.sum()) / lasting  # parts are banded by themselves and hold together
        finals = Expansion.of([per_seed[:, -1] for per_seed in here])
        half = exact.curve_half_widths(values, value[at], finals, level)
        low[at], high[at] = value[at] - half, value[at] + half
    return Band(value, low, high)


def _parts(task_scores: TaskScores) -> list[tuple[NDArray[np.bool_], list[Array]]]:
    """Points at which the same runs have scores, and these scores; without points at which some task has none."""
    present = ~np.isnan(np.concatenate(task_scores))
    parts: list[tuple[NDArray[np.bool_], list[Array]]] = []
    for pattern in np.unique(present, axis=1).T:
        at = (present == pattern[:, None]).all(axis=0)
        here = [per_seed[:, at][~np.isnan(per_seed[:, at]).any(axis=1)] for per_seed in task_scores]
        if min(map(len, here)) > 0:
            parts.append((at, here))
    return parts


def _curve_statistic(strata: Strata, scores: Array, *, iqm: bool) -> Statistic:
    if iqm:
        return lambda weights: statistics.iqm(strata, weights, scores)
    return lambda weights: weights @ scores / len(scores)


def align_curves(curves: Sequence[tuple[Array, Array]]) -> tuple[Array, Array, bool]:
    """Bring curves measured at different steps onto one grid, that of the run which got furthest.

    Other runs are interpolated linearly between their own neighbouring measurements, and are NaN before their first and
    after their last: nothing is extrapolated or carried on.

    Args:
        curves: For each of n runs its steps, ascending, ``(k_i,)`` and its scores ``(k_i,)``.

    Returns:
        The grid ``(K,)``, the scores ``(n, K)``, and whether any score had to be interpolated.
    """
    grid = min((steps for steps, _ in curves), key=lambda steps: (-steps[-1], len(steps), steps.tolist()))
    rows = [np.interp(grid, steps, scores, left=np.nan, right=np.nan) for steps, scores in curves]
    others = [(row, steps) for row, (steps, _) in zip(rows, curves, strict=True) if not np.array_equal(steps, grid)]
    interpolated = any(not np.isin(grid[~np.isnan(row)], steps).all() for row, steps in others)
    return grid, np.stack(rows), interpolated
