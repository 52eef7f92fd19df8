"""Mean ranks of methods over tasks, with intervals; pure functions of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from harness.analysis.bootstrap import (
    EXPANDED,
    MIN_SEEDS,
    N_BAND_RESAMPLES,
    Array,
    IntervalEstimate,
    IntervalKind,
    Strata,
    TaskScores,
    quantiles_of,
    resampled,
)

_DECIMALS = 12  # means that differ in later digits are equal ones, added up in another order


class Rank(NamedTuple):
    """Where a method stands among others.

    Attributes:
        mean: Its rank averaged over tasks; 1 is the best, and equal methods share the mean of their places.
        first: The share of resamples in which no method has a smaller mean rank; NaN where there are too few seeds.
    """

    mean: IntervalEstimate
    first: float


def mean_ranks(
    methods: Sequence[TaskScores],
    rng: np.random.Generator,
    n_resamples: int = N_BAND_RESAMPLES,
    intervals: IntervalKind = EXPANDED,
) -> list[Rank]:
    """The mean rank of each method, by the mean score of its seeds on each task.

    Args:
        methods: For each of M methods its scores, one array ``(n_t,)`` per task, on the same tasks.
        rng: The stream of the resamples; methods are resampled independently.
        n_resamples: Number of bootstrap resamples.
        intervals: How intervals are made.
    """
    values = _ranks(np.array([[[scores.mean() for scores in method]] for method in methods]))[:, 0]
    if min(len(scores) for method in methods for scores in method) < MIN_SEEDS:
        return [Rank(IntervalEstimate(float(value)), float("nan")) for value in values]
    replicates = _ranks(np.array([_task_means(method, rng, n_resamples) for method in methods]))
    first = (replicates <= replicates.min(axis=0) + 1e-9).mean(axis=1)
    ends = [np.quantile(row, quantiles_of(intervals, method)) for row, method in zip(replicates, methods, strict=True)]
    return [
        Rank(IntervalEstimate(float(value), float(low), float(high)), float(share))
        for value, (low, high), share in zip(values, ends, first, strict=True)
    ]


def _task_means(method: TaskScores, rng: np.random.Generator, n_resamples: int) -> Array:
    strata, scores = Strata.of(method), np.concatenate(method)
    return resampled(strata, lambda weights: strata.task_means(weights, scores), rng, n_resamples)


def _ranks(means: Array) -> Array:
    """Mean ranks ``(M, R)`` of means ``(M, R, T)``, the highest first."""
    return np.mean(stats.rankdata(-np.round(means, _DECIMALS), axis=0), axis=-1)
