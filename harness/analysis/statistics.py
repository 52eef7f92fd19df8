"""Aggregate scores with intervals: pure functions from arrays to arrays.

Everywhere, ``task_scores`` holds one array per task with one score per seed; tasks may have different numbers of seeds. Seeds
are the unit of replication, never episodes. Definitions are those of Agarwal et al. 2021 (arXiv 2108.13264), as their package
rliable computes them. A complete matrix (equally many seeds for every task) is given to rliable itself, so that its numbers
are rliable's by construction. rliable knows no incomplete matrix; there every task weighs the same, whatever its number of
seeds, which for a complete matrix is the same thing.

Intervals come from a bootstrap stratified by task, see `harness.analysis.bootstrap`, and where something better is known from
`harness.analysis.exact`: of the mean of one task, of success rates, of whole profiles and curves. With ``intervals="rliable"``
they are rliable's, plain percentiles at each point by itself. Below `MIN_SEEDS` seeds of any task there is no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import ArrayLike

from harness.analysis import bootstrap, exact
from harness.analysis.bootstrap import (
    EXPANDED,
    MIN_SEEDS,
    N_BAND_RESAMPLES,
    N_RESAMPLES,
    RLIABLE,
    Array,
    Band,
    IntervalEstimate,
    IntervalKind,
    Statistic,
    Strata,
    TaskScores,
    bounds,
    named_generator,
    quantiles_of,
    resampled,
)

__all__ = [
    "AGGREGATE_METRICS",
    "MIN_SEEDS",
    "N_BAND_RESAMPLES",
    "N_RESAMPLES",
    "Array",
    "Band",
    "IntervalEstimate",
    "IntervalKind",
    "TaskScores",
    "aggregates",
    "iqm",
    "mean",
    "named_generator",
    "performance_profile",
    "point_estimates",
    "probability_of_improvement",
]

_PAIR_ROWS = 256  # resamples at once of many runs: enough that most of the time is not spent between them

AGGREGATE_METRICS = ("iqm", "median", "mean", "optimality_gap")


# --------------------------------------------------------------------------------------------------------------------
# Aggregates
# --------------------------------------------------------------------------------------------------------------------
def aggregates(
    task_scores: TaskScores,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> dict[str, IntervalEstimate]:
    """The four aggregate scores of one method.

    * ``iqm``: mean of the middle half of all runs of all tasks (25 % trimmed mean).
    * ``median``, ``mean``: over tasks, of each task's mean.
    * ``optimality_gap``: how far runs stay below 1 on average, scores above 1 counting as 1; smaller is better.

    Args:
        task_scores: Normalised scores, one array ``(n_t,)`` per task.
        rng: The stream of the resamples.
        n_resamples: Number of bootstrap resamples.
        intervals: How intervals are made.

    Returns:
        An estimate for each name in `AGGREGATE_METRICS`.

    Raises:
        ValueError: When there is no task, or a task without a score.
    """
    strata, scores = Strata.of(task_scores), np.concatenate(task_scores)
    points = point_estimates(task_scores)
    if min(strata.sizes) < MIN_SEEDS:
        return {name: IntervalEstimate(value) for name, value in points.items()}
    values = resampled(strata, _aggregates(strata, scores), rng, n_resamples)
    low, high = np.quantile(values, quantiles_of(intervals, task_scores), axis=0)
    better = _better_intervals(task_scores) if intervals == EXPANDED else {}
    return {
        name: IntervalEstimate(value, *(better[name][1:] if name in better else bounds(start, end)))
        for (name, value), start, end in zip(points.items(), low, high, strict=True)
    }


def _better_intervals(task_scores: TaskScores) -> dict[str, IntervalEstimate]:
    """Estimates whose interval is known without resamples: means of one task, and success rates over tasks."""
    strata, scores = Strata.of(task_scores), np.concatenate(task_scores)
    if strata.tasks == 1:
        mean_estimate, reached = exact.mean_interval(scores), exact.mean_interval(np.minimum(scores, 1))
        found = {"mean": mean_estimate, "median": mean_estimate, "optimality_gap": _complement(reached)}
        return found | ({"iqm": mean_estimate} if scores.size < 4 else {})  # of which nothing is cut
    if strata.complete and exact.are_successes(scores):
        rate = exact.success_interval(int(scores.sum()), scores.size)
        return {"mean": rate, "optimality_gap": _complement(rate)}
    return {}


def _complement(estimate: IntervalEstimate) -> IntervalEstimate:
    value, low, high = estimate
    return IntervalEstimate(1 - value, None if high is None else 1 - high, None if low is None else 1 - low)


def point_estimates(task_scores: TaskScores) -> dict[str, float]:
    """The aggregate scores of `aggregates` without their intervals."""
    strata, scores = Strata.of(task_scores), np.concatenate(task_scores)
    values = (
        _rliable_aggregates(np.stack(task_scores, axis=1))
        if strata.complete and find_spec("rliable")  # which cannot be had for every Python; the other way is as exact
        else _aggregates(strata, scores)(strata.point_weights)[0]
    )
    return dict(zip(AGGREGATE_METRICS, map(float, values), strict=True))


def mean(
    scores: ArrayLike,
    rng: np.random.Generator,
    n_resamples: int = N_BAND_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
    ends: tuple[float, float] = (0.0, 1.0),
) -> IntervalEstimate:
    """Mean over the seeds on one task, with Student's interval, or that of a success rate.

    Args:
        scores: Scores in any unit, ``(n,)``.
        rng: The stream of the resamples, which rliable's interval needs.
        n_resamples: Number of bootstrap resamples.
        intervals: How the interval is made.
        ends: The scores of a failure and of a success; where every score is one of the two, they are counted.
    """
    flat = np.asarray(scores, dtype=np.float64)
    if intervals == EXPANDED:
        return exact.mean_interval(flat, ends)
    if flat.size < MIN_SEEDS:
        return IntervalEstimate(float(flat.mean()))
    values = resampled(Strata.of([flat]), lambda weights: weights @ flat[:, None] / flat.size, rng, n_resamples)
    low, high = np.quantile(values[:, 0], bootstrap.PLAIN_QUANTILES)
    return IntervalEstimate(float(flat.mean()), float(low), float(high))


def _rliable_aggregates(matrix: Array) -> Array:
    from rliable import metrics

    definitions = (
        metrics.aggregate_iqm,
        metrics.aggregate_median,
        metrics.aggregate_mean,
        metrics.aggregate_optimality_gap,
    )
    return np.array([definition(matrix) for definition in definitions], dtype=np.float64)


def _aggregates(strata: Strata, scores: Array) -> Statistic:
    def statistic(weights: Array) -> Array:
        medians = np.median(strata.task_means(weights, scores), axis=1)
        gaps = 1 - weights @ np.minimum(scores, 1) / scores.size
        middle = iqm(strata, weights, scores[:, None])[:, 0]
        return np.stack([middle, medians, weights @ scores / scores.size, gaps], axis=1)

    return statistic


def iqm(strata: Strata, weights: Array, scores: Array) -> Array:
    """Trimmed means under weights that sum to N: floor(N / 4) of the weight is cut at each end, as scipy's trim_mean does.

    With the scores in order and W_i the cumulated weights, cut to the middle, the sum of x_i (W_i - W_{i-1}) is summed by
    parts, which spares a pass over the largest array.

    Args:
        strata: The runs that are weighted.
        weights: R resamples, ``(R, N)``.
        scores: K scores of each run, ``(N, K)``.

    Returns:
        The mean of each score under each resample, ``(R, K)``.
    """
    # Whole numbers are added and cut in half the time if they are as small as their sum allows.
    drawn = weights.T.astype(np.min_scalar_type(-1 - strata.total) if strata.complete else np.float64, order="C")
    cut = strata.total // 4
    middle = strata.total - 2 * cut

    def trimmed(column: Array) -> Array:
        order = np.argsort(column, kind="stable")
        ascending, cumulated = column[order], drawn[order]
        np.cumsum(cumulated, axis=0, out=cumulated)
        np.clip(cumulated, cut, cut + middle, out=cumulated)
        within = cumulated[:-1].astype(np.float64)
        within -= cut
        return ascending[-1] - within.T @ np.diff(ascending) / middle

    return np.stack([trimmed(column) for column in scores.T], axis=1)


# --------------------------------------------------------------------------------------------------------------------
# Profiles, comparisons
# --------------------------------------------------------------------------------------------------------------------
def performance_profile(
    task_scores: TaskScores,
    thresholds: Array,
    rng: np.random.Generator,
    n_resamples: int = N_BAND_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> Band:
    """The fraction of runs that score more than each threshold ("score distribution"); see `aggregates`.

    The band holds the whole profile; rliable's holds at each threshold by itself.

    Args:
        task_scores: Normalised scores, one array ``(n_t,)`` per task.
        thresholds: Normalised scores tau, float64 ``(K,)``.
        rng: The stream of the resamples, which rliable's band needs.
        n_resamples: Number of bootstrap resamples.
        intervals: How the band is made.
    """
    strata, scores = Strata.of(task_scores), np.concatenate(task_scores)
    above = (scores[:, None] > thresholds).astype(np.float64) / scores.size
    value = (strata.point_weights @ above)[0]
    if min(strata.sizes) < MIN_SEEDS:
        return Band(value, *(np.full(value.size, np.nan) for _ in range(2)))
    if intervals == RLIABLE:
        values = resampled(strata, lambda weights: weights @ above, rng, n_resamples)
        return Band(value, *np.quantile(values, bootstrap.PLAIN_QUANTILES, axis=0))
    half = exact.profile_half_width(strata.sizes)
    return Band(value, np.maximum(value - half, 0), np.minimum(value + half, 1))


def probability_of_improvement(
    x: TaskScores,
    y: TaskScores,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> IntervalEstimate:
    """The chance that a run of X scores more than a run of Y on the same task, averaged over tasks; ties count half.

    It is the Mann-Whitney statistic divided by the number of pairs. Only order matters, so raw scores serve as well as
    normalised ones.

    Args:
        x: Scores of X, one array ``(n_t,)`` per task.
        y: Scores of Y on the same tasks, ``(m_t,)`` each.
        rng: The stream of the resamples; X and Y are resampled independently.
        n_resamples: Number of bootstrap resamples.
        intervals: How the interval is made.
    """
    strata_x, strata_y = Strata.of(x), Strata.of(y)
    wins = [(a[:, None] > b) + 0.5 * (a[:, None] == b) for a, b in zip(x, y, strict=True)]
    value = np.mean([win.mean() for win in wins])  # of halves and ones, so rliable's to the last bit
    if min(*strata_x.sizes, *strata_y.sizes) < MIN_SEEDS:
        return IntervalEstimate(float(value))
    chunk = max(_PAIR_ROWS, bootstrap.CHUNK // (strata_x.total + strata_y.total))
    pairs = zip(strata_x.resamples(rng, n_resamples, chunk), strata_y.resamples(rng, n_resamples, chunk), strict=True)
    probabilities = np.concatenate([_win_probabilities(strata_x, strata_y, wx, wy, wins) for wx, wy in pairs])
    ends = np.quantile(probabilities, quantiles_of(intervals, x, y))
    return IntervalEstimate(float(value), *(float(end) for end in ends))


def _win_probabilities(strata_x: Strata, strata_y: Strata, wx: Array, wy: Array, wins: Sequence[Array]) -> Array:
    if strata_x.complete and strata_y.complete:  # all tasks at once
        weights_x, weights_y = (weights.reshape(len(weights), len(wins), -1).swapaxes(0, 1) for weights in (wx, wy))
        won = weights_x @ np.stack(wins)
        won *= weights_y
        return won.sum(axis=(0, 2)) * strata_x.tasks / (strata_x.total * strata_y.total)
    total = np.zeros(len(wx))
    for part_x, part_y, win in zip(strata_x.slices, strata_y.slices, wins, strict=True):
        total += ((wx[:, part_x] @ win) * wy[:, part_y]).sum(axis=1)
    return total * strata_x.tasks / (strata_x.total * strata_y.total)
