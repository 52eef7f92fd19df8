"""Intervals of the difference between two groups of runs that have nothing in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from scipy import stats

from harness.analysis.bootstrap import CONFIDENCE_LEVEL, MIN_SEEDS, Array, IntervalEstimate
from harness.analysis.exact import are_successes

_TAIL = (1 - CONFIDENCE_LEVEL) / 2


def difference(after: Array, before: Array, ends: tuple[float, float] = (0.0, 1.0)) -> IntervalEstimate:
    """By how much the mean of one task changed, with Welch's interval, or Newcombe's where successes are counted.

    There is no interval with fewer than three scores on a side, nor where the scores on both sides do not vary: that seeds
    agree by chance is no certainty.

    Args:
        after: Scores after the change, ``(n,)``.
        before: Scores before it, ``(m,)``.
        ends: The scores of a failure and of a success.
    """
    low, high = ends
    if min(after.size, before.size) >= MIN_SEEDS and are_successes(np.concatenate([after, before]), low, high):
        rates = [float((scores == high).mean()) for scores in (after, before)]
        found = newcombe(rates[0], after.size, rates[1], before.size)
        bounds = sorted((high - low) * float(end or 0.0) for end in found[1:])
        return IntervalEstimate((high - low) * found.value, *bounds)
    return mean_difference([after], [before])


def mean_difference(after: Sequence[Array], before: Sequence[Array]) -> IntervalEstimate:
    """By how much the mean over tasks of their means changed, with Welch's interval.

    Args:
        after: Scores after the change, one array ``(n_t,)`` per task.
        before: Scores before it, ``(m_t,)`` each.
    """
    value = float(np.mean([x.mean() - y.mean() for x, y in zip(after, before, strict=True)]))
    groups = [*after, *before]
    if min(group.size for group in groups) < MIN_SEEDS:
        return IntervalEstimate(value)
    variances = np.array([group.var(ddof=1) / group.size for group in groups]) / len(after) ** 2
    variance = float(variances.sum())
    if variance == 0:
        return IntervalEstimate(value)
    freedom = variance**2 / float(sum(part**2 / (group.size - 1) for part, group in zip(variances, groups, strict=True)))
    half = float(stats.t.ppf(1 - _TAIL, freedom)) * variance**0.5
    return IntervalEstimate(value, value - half, value + half)


def newcombe(rate: float, n: int, other: float, m: int) -> IntervalEstimate:
    """The difference of two success rates with Newcombe's interval, made of Wilson's intervals of both.

    Args:
        rate: Rate of successes in the first group.
        n: Number of runs in the first group.
        other: Rate of successes in the second group.
        m: Number of runs in the second group.
    """
    value = rate - other
    (low, high), (other_low, other_high) = wilson(rate, n), wilson(other, m)
    below = ((rate - low) ** 2 + (other_high - other) ** 2) ** 0.5
    above = ((high - rate) ** 2 + (other - other_low) ** 2) ** 0.5
    return IntervalEstimate(value, value - below, value + above)


def wilson(rate: float, n: int) -> tuple[float, float]:
    """Wilson's interval of a success rate of ``n`` runs."""
    found = stats.binomtest(round(rate * n), n).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    low, high = cast(tuple[float, float], found)
    return float(low), float(high)
