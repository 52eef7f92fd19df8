"""Aggregate scores with intervals: pure functions from arrays to arrays.

Everywhere, ``task_scores`` holds one array per task with one score per seed; tasks may have different numbers of seeds. Seeds
are the unit of replication, never episodes. Definitions are those of Agarwal et al. 2021 (arXiv 2108.13264), as their package
rliable computes them. A complete matrix (equally many seeds for every task) is given to rliable itself, so that its numbers
are rliable's by construction. rliable knows no incomplete matrix; there every task weighs the same, whatever its number of
seeds, which for a complete matrix is the same thing.

Intervals are percentiles of a bootstrap stratified by task: each resample draws, for every task, as many seeds as it has.
Such a resample is described by how often it drew each run, so a statistic of all resamples is a statistic of one matrix of
weights, and costs a few matrix products. Below `MIN_SEEDS` seeds of any task there is no interval.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
TaskScores = Sequence[Array]
Statistic = Callable[[Array], Array]

CONFIDENCE_LEVEL = 0.95
"""Nominal coverage of every interval."""

MIN_SEEDS = 3
"""With one seed a bootstrap has no width and with two it has three values: neither is an interval."""

N_RESAMPLES = 50_000
"""Resamples for an aggregate score; what rliable's authors use."""

N_BAND_RESAMPLES = 5_000
"""Resamples for a band of many intervals (profiles, curves)."""

AGGREGATE_METRICS = ("iqm", "median", "mean", "optimality_gap")

_CHUNK = 1 << 17  # weights at once: few enough to stay in a processor's cache


class IntervalEstimate(NamedTuple):
    """A number with its interval; the ends are ``None`` where there are too few seeds for one."""

    value: float
    low: float | None = None
    high: float | None = None


class Band(NamedTuple):
    """K numbers with their intervals; all float64 ``(K,)``, NaN where there is no number or no interval."""

    value: Array
    low: Array
    high: Array


def named_generator(*names: str) -> np.random.Generator:
    """A random stream that depends on ``names`` alone: not on the platform, the order of calls or other methods."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


# --------------------------------------------------------------------------------------------------------------------
# Aggregates
# --------------------------------------------------------------------------------------------------------------------
def aggregates(
    task_scores: TaskScores, rng: np.random.Generator, n_resamples: int = N_RESAMPLES
) -> dict[str, IntervalEstimate]:
    """The four aggregate scores of one method.

    * ``iqm``: mean of the middle half of all runs of all tasks (25 % trimmed mean).
    * ``median``, ``mean``: over tasks, of each task's mean.
    * ``optimality_gap``: how far runs stay below 1 on average, scores above 1 counting as 1; smaller is better.

    Args:
        task_scores: Normalised scores, one array ``(n_t,)`` per task.
        rng: The stream of the resamples.
        n_resamples: Number of bootstrap resamples.

    Returns:
        An estimate for each name in `AGGREGATE_METRICS`.

    Raises:
        ValueError: When there is no task, or a task without a score.
    """
    strata, scores = _Strata.of(task_scores), np.concatenate(task_scores)
    low, high = _interval(strata, _aggregates(strata, scores), rng, n_resamples)
    return {
        name: IntervalEstimate(value, *_bounds(start, end))
        for (name, value), start, end in zip(point_estimates(task_scores).items(), low, high, strict=True)
    }


def point_estimates(task_scores: TaskScores) -> dict[str, float]:
    """The aggregate scores of `aggregates` without their intervals."""
    strata, scores = _Strata.of(task_scores), np.concatenate(task_scores)
    values = (
        _rliable_aggregates(np.stack(task_scores, axis=1))
        if strata.complete
        else _aggregates(strata, scores)(strata.point_weights)[0]
    )
    return dict(zip(AGGREGATE_METRICS, map(float, values), strict=True))


def mean(scores: ArrayLike, rng: np.random.Generator, n_resamples: int = N_BAND_RESAMPLES) -> IntervalEstimate:
    """Mean over the seeds on one task; ``scores`` has shape ``(n,)``, in any unit."""
    flat = np.asarray(scores, dtype=np.float64)
    strata = _Strata.of([flat])
    low, high = _interval(strata, lambda weights: weights @ flat[:, None] / flat.size, rng, n_resamples)
    return IntervalEstimate(float(flat.mean()), *_bounds(low[0], high[0]))


def _rliable_aggregates(matrix: Array) -> Array:
    from rliable import metrics

    definitions = (
        metrics.aggregate_iqm,
        metrics.aggregate_median,
        metrics.aggregate_mean,
        metrics.aggregate_optimality_gap,
    )
    return np.array([definition(matrix) for definition in definitions], dtype=np.float64)


def _aggregates(strata: _Strata, scores: Array) -> Statistic:
    def statistic(weights: Array) -> Array:
        medians = np.median(strata.task_means(weights, scores), axis=1)
        gaps = 1 - weights @ np.minimum(scores, 1) / scores.size
        return np.stack([_iqm(weights, scores), medians, weights @ scores / scores.size, gaps], axis=1)

    return statistic


def _iqm(weights: Array, scores: Array) -> Array:
    """Trimmed mean under weights that sum to N: floor(N / 4) of the weight is cut at each end, as scipy's trim_mean does.

    With the scores in order and W_i the cumulated weights, cut to the middle, the sum of x_i (W_i - W_{i-1}) is summed by
    parts, which spares a pass over the largest array.
    """
    cut = scores.size // 4
    middle = scores.size - 2 * cut
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    cumulated = weights[:, order]
    np.cumsum(cumulated, axis=1, out=cumulated)
    cumulated -= cut
    np.clip(cumulated, 0, middle, out=cumulated)
    return ascending[-1] - cumulated[:, :-1] @ np.diff(ascending) / middle


# --------------------------------------------------------------------------------------------------------------------
# Profiles, comparisons, curves
# --------------------------------------------------------------------------------------------------------------------
def performance_profile(
    task_scores: TaskScores, thresholds: Array, rng: np.random.Generator, n_resamples: int = N_BAND_RESAMPLES
) -> Band:
    """The fraction of runs that score more than each threshold ("score distribution"); see `aggregates`.

    Args:
        task_scores: Normalised scores, one array ``(n_t,)`` per task.
        thresholds: Normalised scores tau, float64 ``(K,)``.
        rng: The stream of the resamples.
        n_resamples: Number of bootstrap resamples.
    """
    strata, scores = _Strata.of(task_scores), np.concatenate(task_scores)
    above = (scores[:, None] > thresholds).astype(np.float64) / scores.size
    return Band((strata.point_weights @ above)[0], *_interval(strata, lambda weights: weights @ above, rng, n_resamples))


def probability_of_improvement(
    x: TaskScores, y: TaskScores, rng: np.random.Generator, n_resamples: int = N_RESAMPLES
) -> IntervalEstimate:
    """The chance that a run of X scores more than a run of Y on the same task, averaged over tasks; ties count half.

    It is the Mann-Whitney statistic divided by the number of pairs. Only order matters, so raw scores serve as well as
    normalised ones.

    Args:
        x: Scores of X, one array ``(n_t,)`` per task.
        y: Scores of Y on the same tasks, ``(m_t,)`` each.
        rng: The stream of the resamples; X and Y are resampled independently.
        n_resamples: Number of bootstrap resamples.
    """
    strata_x, strata_y = _Strata.of(x), _Strata.of(y)
    wins = [(a[:, None] > b) + 0.5 * (a[:, None] == b) for a, b in zip(x, y, strict=True)]
    if strata_x.complete and strata_y.complete:
        from rliable import metrics

        value = metrics.probability_of_improvement(np.stack(x, axis=1), np.stack(y, axis=1))
    else:
        value = np.mean([win.mean() for win in wins])
    if min(*strata_x.sizes, *strata_y.sizes) < MIN_SEEDS:
        return IntervalEstimate(float(value))
    chunk = max(1, _CHUNK // (strata_x.total + strata_y.total))
    pairs = zip(strata_x.resamples(rng, n_resamples, chunk), strata_y.resamples(rng, n_resamples, chunk), strict=True)
    probabilities = np.concatenate([_win_probabilities(strata_x, strata_y, wx, wy, wins) for wx, wy in pairs])
    return IntervalEstimate(float(value), *(float(end) for end in np.quantile(probabilities, _QUANTILES)))


def _win_probabilities(strata_x: _Strata, strata_y: _Strata, wx: Array, wy: Array, wins: Sequence[Array]) -> Array:
    total = np.zeros(len(wx))
    for part_x, part_y, win in zip(strata_x.slices, strata_y.slices, wins, strict=True):
        total += ((wx[:, part_x] @ win) * wy[:, part_y]).sum(axis=1)
    return total * strata_x.tasks / (strata_x.total * strata_y.total)


def curve(task_scores: TaskScores, rng: np.random.Generator, *, iqm: bool, n_resamples: int = N_BAND_RESAMPLES) -> Band:
    """A statistic of every task's and seed's score at K points of training, whole runs being resampled.

    Args:
        task_scores: One array ``(n_t, K)`` per task; NaN where a run has no score yet. A point at which some task has no
            score at all has no value.
        rng: The stream of the resamples.
        iqm: Interquartile mean over tasks and seeds if true, else the mean over tasks of each task's mean.
        n_resamples: Number of bootstrap resamples.
    """
    present = ~np.isnan(np.concatenate(task_scores))
    points = present.shape[1]
    value, low, high = (np.full(points, np.nan) for _ in range(3))
    for pattern in np.unique(present, axis=1).T:
        at = (present == pattern[:, None]).all(axis=0)
        here = [per_seed[:, at][~np.isnan(per_seed[:, at]).any(axis=1)] for per_seed in task_scores]
        if min(len(per_seed) for per_seed in here) == 0:
            continue
        strata, scores = _Strata.of(here), np.concatenate(here)
        statistic = _curve_statistic(scores, iqm=iqm)
        value[at] = statistic(strata.point_weights)[0]
        low[at], high[at] = _interval(strata, statistic, rng, n_resamples)
    return Band(value, low, high)


def _curve_statistic(scores: Array, *, iqm: bool) -> Statistic:
    if iqm:
        return lambda weights: np.stack([_iqm(weights, column) for column in scores.T], axis=1)
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
    interpolated = any(not np.isin(grid[~np.isnan(row)], steps).all() for row, (steps, _) in zip(rows, curves, strict=True))
    return grid, np.stack(rows), interpolated


# --------------------------------------------------------------------------------------------------------------------
# The bootstrap
# --------------------------------------------------------------------------------------------------------------------
_QUANTILES = ((1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2)


@dataclass(frozen=True)
class _Strata:
    """N runs in T tasks. Weights are ``(R, N)``: R resamples, each summing to N and giving every task N / T."""

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, task_scores: TaskScores) -> _Strata:
        sizes = tuple(len(per_seed) for per_seed in task_scores)
        if not sizes or min(sizes) == 0:
            raise ValueError(f"every task needs at least one score; numbers of scores: {sizes}")
        return cls(sizes)

    @property
    def tasks(self) -> int:
        return len(self.sizes)

    @property
    def total(self) -> int:
        return sum(self.sizes)

    @property
    def complete(self) -> bool:
        return len(set(self.sizes)) == 1

    @property
    def starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @property
    def slices(self) -> list[slice]:
        return [slice(start, start + size) for start, size in zip(self.starts, self.sizes, strict=True)]

    @property
    def run_weights(self) -> Array:
        """The weight of one run, drawn once: ``(N,)``, ones for a complete matrix."""
        sizes = np.asarray(self.sizes)
        return np.repeat(self.total / (self.tasks * sizes), sizes)

    @property
    def point_weights(self) -> Array:
        """The weights of the data as they are, ``(1, N)``."""
        return self.run_weights[None]

    def task_means(self, weights: Array, scores: Array) -> Array:
        """Each task's mean, ``(R, T)``."""
        sums = np.stack([weights[:, part] @ scores[part] for part in self.slices], axis=1)
        return sums * (self.tasks / self.total)

    def resamples(self, rng: np.random.Generator, n_resamples: int, chunk: int) -> Iterator[Array]:
        """The weights of ``n_resamples`` resamples, at most ``chunk`` rows at a time."""
        for start in range(0, n_resamples, chunk):
            rows = min(chunk, n_resamples - start)
            offsets = np.arange(rows)[:, None] * self.total
            draws = [
                rng.integers(first, first + size, size=(rows, size)) + offsets
                for first, size in zip(self.starts.tolist(), self.sizes, strict=True)
            ]
            flat = np.concatenate(draws, axis=1).ravel()
            counts = np.bincount(flat, minlength=rows * self.total).reshape(rows, self.total)
            yield counts * self.run_weights


def _interval(strata: _Strata, statistic: Statistic, rng: np.random.Generator, n_resamples: int) -> tuple[Array, Array]:
    """Percentile interval of a statistic that maps weights ``(R, N)`` to ``(R, K)``; two arrays ``(K,)``."""
    if min(strata.sizes) < MIN_SEEDS:
        nothing = np.full(statistic(strata.point_weights).shape[1], np.nan)
        return nothing, nothing
    chunk = max(1, _CHUNK // strata.total)
    values = np.concatenate([statistic(weights) for weights in strata.resamples(rng, n_resamples, chunk)])
    low, high = np.quantile(values, _QUANTILES, axis=0)
    return low, high


def _bounds(low: float, high: float) -> tuple[float | None, float | None]:
    return (None, None) if np.isnan(low) else (float(low), float(high))
