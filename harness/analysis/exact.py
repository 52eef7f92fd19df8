"""Intervals that need no resamples: of the mean of one task, of successes that are counted, of whole profiles and curves."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
from scipy import special, stats

from harness.analysis.bootstrap import CONFIDENCE_LEVEL, MIN_SEEDS, Array, Expansion, IntervalEstimate, t_quantile

_TAIL = (1 - CONFIDENCE_LEVEL) / 2


def t_interval(scores: Array) -> IntervalEstimate:
    """Mean of scores ``(n,)`` with Student's interval."""
    value = float(scores.mean())
    if scores.size < MIN_SEEDS:
        return IntervalEstimate(value)
    half = t_quantile(1 - _TAIL, scores.size - 1) * float(scores.std(ddof=1)) / scores.size**0.5
    return IntervalEstimate(value, value - half, value + half)


@lru_cache(maxsize=10_000)
def success_interval(successes: int, runs: int) -> IntervalEstimate:
    """A success rate with the interval of Clopper and Pearson, which holds at every rate and number of runs.

    Over several tasks it holds for the mean of their rates, if each has the same number of runs: the number of successes then
    varies no more than that of equally likely ones (Hoeffding 1956).

    Args:
        successes: Number of runs that succeeded.
        runs: Number of runs, at least one.
    """
    low, high = cast(tuple[float, float], stats.binomtest(successes, runs).proportion_ci(CONFIDENCE_LEVEL, method="exact"))
    return IntervalEstimate(successes / runs, float(low), float(high))


def are_successes(scores: Array, low: float = 0.0, high: float = 1.0) -> bool:
    """Whether scores are only ever ``low`` or ``high``: failures and successes."""
    return bool(scores.size and low != high and np.isin(scores, [low, high]).all())


def mean_interval(scores: Array, ends: tuple[float, float] = (0.0, 1.0)) -> IntervalEstimate:
    """Mean over the seeds of one task: Student's interval, or that of a success rate.

    Args:
        scores: Scores in any unit, ``(n,)``.
        ends: The scores of a failure and of a success; where every score is one of the two, they are counted.
    """
    low, high = ends
    if scores.size < MIN_SEEDS or not are_successes(scores, low, high):
        return t_interval(scores)
    rate = success_interval(int((scores == high).sum()), scores.size)
    start, end = sorted(low + (high - low) * cast(float, part) for part in rate[1:])
    return IntervalEstimate(float(scores.mean()), start, end)


def profile_half_width(sizes: tuple[int, ...]) -> float:
    """Half the width of a band that holds a whole profile, whatever the distribution of scores.

    It is the exact critical value of Kolmogorov's statistic; for tasks of unlike difficulty it is wider than need be. Tasks
    with unequal numbers of seeds count as the number of equally weighted runs that vary as much.

    Args:
        sizes: Number of seeds of each task.
    """
    runs = len(sizes) ** 2 / sum(1 / size for size in sizes)
    whole = max(1, int(runs))
    return float(stats.kstwo.ppf(CONFIDENCE_LEVEL, whole))


def curve_half_widths(replicates: Array, value: Array, expansion: Expansion, level: float = CONFIDENCE_LEVEL) -> Array:
    """Half the widths of a band that holds a whole curve.

    The resamples say at which level intervals at each point hold together (their largest deviation from the curve, in standard
    deviations); the width at that level is Student's, as for one point.

    Args:
        replicates: The curve of every resample, ``(R, K)``.
        value: The curve itself, ``(K,)``.
        expansion: What the resamples lack.
        level: Probability with which the whole curve is to lie within the band.
    """
    spread = np.sqrt(((replicates - value) ** 2).mean(axis=0))
    varying = spread > 0
    if not varying.any():
        return np.zeros_like(value)
    largest = np.abs((replicates[:, varying] - value[varying]) / spread[varying]).max(axis=1)
    together = cast(float, special.ndtr(-float(np.quantile(largest, level))))
    return expansion.width(min(together, (1 - level) / 2)) * spread
