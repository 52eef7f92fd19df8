"""Tests of whether two methods differ, over several tasks at once, and Holm's correction for making many of them.

All are permutation tests within tasks: under the null hypothesis that methods do not differ, which scores of a task belong to
which method is chance. They hold their level for any number of seeds, any distribution and any ties. P values are two-sided:
twice the smaller tail, as SciPy gives them. Over one task without ties `rank_sum` is the exact test of Mann and Whitney, and
`signed_rank` that of Wilcoxon.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from harness.analysis.bootstrap import Array, TaskScores

SIGNIFICANCE_LEVEL = 0.05
"""A difference is called one where chance alone would be this rare, or rarer."""

N_PERMUTATIONS = 1_999
"""Random permutations where there are more than can all be tried; with the data as they are, a round number."""

_MAX_LATTICE = 20_000  # points of an exact distribution; beyond it has so many runs that the normal one serves


class _Lattice(NamedTuple):
    """The null distribution of one task's statistic, which takes the values 0, 1, ... up to ``len(probabilities) - 1``."""

    probabilities: Array
    observed: int


def rank_sum(x: TaskScores, y: TaskScores) -> float:
    """The p value of Wilcoxon's rank-sum test (Mann and Whitney's) of the probability of improvement.

    The statistic is `harness.analysis.statistics.probability_of_improvement`, every task weighing the same.

    Args:
        x: Scores of X, one array ``(n_t,)`` per task.
        y: Scores of Y on the same tasks, ``(m_t,)`` each.
    """
    return _combined([_rank_sum_lattice(a, b) for a, b in zip(x, y, strict=True)])


def signed_rank(x: TaskScores, y: TaskScores) -> float:
    """The p value of Wilcoxon's signed-rank test of runs in pairs; pairs without a difference are left out of a task.

    Args:
        x: Scores of X, one array ``(n_t,)`` per task.
        y: Scores of Y with the same seeds, ``(n_t,)`` each.
    """
    lattices = [_signed_rank_lattice(a - b) for a, b in zip(x, y, strict=True) if (a != b).any()]
    return _combined(lattices) if lattices else 1.0


def mean_difference(x: TaskScores, y: TaskScores, rng: np.random.Generator, n_permutations: int = N_PERMUTATIONS) -> float:
    """The p value of the permutation test of the difference of means, averaged over tasks.

    One task with no more than ``n_permutations`` ways to divide its scores is tested with all of them; otherwise so many are
    drawn, and the data as they are count as one more.

    Args:
        x: Scores of X, one array ``(n_t,)`` per task.
        y: Scores of Y on the same tasks, ``(m_t,)`` each.
        rng: The stream of the permutations.
        n_permutations: Number of random permutations.
    """
    pooled = [np.concatenate(pair) for pair in zip(x, y, strict=True)]
    if len(x) == 1 and math.comb(pooled[0].size, x[0].size) <= n_permutations:
        chosen = np.array(list(combinations(range(pooled[0].size), x[0].size)))
        differences = _differences(pooled[0], pooled[0][chosen].sum(axis=1), x[0].size)
        return _two_sided(differences, differences[0])  # the first combination is the data's own
    differences = np.zeros(n_permutations + 1)
    for scores, own in zip(pooled, x, strict=True):
        shuffled = rng.permuted(np.tile(scores, (n_permutations + 1, 1)), axis=1)
        shuffled[0] = scores
        differences += _differences(scores, shuffled[:, : own.size].sum(axis=1), own.size) / len(x)
    return _two_sided(differences, differences[0])


def holm(p_values: ArrayLike) -> Array:
    """P values adjusted for making several tests: a false alarm among all stays as rare as one test's (Holm 1979)."""
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = (values.size - np.arange(values.size)) * values[order]
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _differences(pooled: Array, sums: Array, size: int) -> Array:
    return sums / size - (pooled.sum() - sums) / (pooled.size - size)


def _two_sided(values: Array, observed: float) -> float:
    slack = 1e-12 * max(1.0, float(np.abs(values).max()))  # equal differences whose last digits are not
    tails = (values <= observed + slack).mean(), (values >= observed - slack).mean()
    return float(min(1.0, 2 * min(tails)))


# --------------------------------------------------------------------------------------------------------------------
# Exact distributions of ranks
# --------------------------------------------------------------------------------------------------------------------
def _rank_sum_lattice(a: Array, b: Array) -> _Lattice:
    """The distribution of twice Mann and Whitney's U, which is whole though ties count half."""
    doubled = np.rint(2 * stats.rankdata(np.concatenate([a, b]))).astype(np.int64)
    return _Lattice(
        _rank_sum_distribution(tuple(sorted(doubled.tolist())), a.size), int(doubled[: a.size].sum()) - a.size * (a.size + 1)
    )


@lru_cache(maxsize=256)
def _rank_sum_distribution(doubled: tuple[int, ...], size: int) -> Array:
    """How likely each value of twice U is, given twice the ranks of all scores; the same for all tasks without ties."""
    counts = np.zeros((size + 1, sum(doubled[-size:]) + 1))
    counts[0, 0] = 1.0
    for rank in doubled:  # how many choices of so many scores have such a sum of ranks
        counts[1:, rank:] += counts[:-1, : counts.shape[1] - rank].copy()
    every = np.zeros(2 * size * (len(doubled) - size) + 1)
    found = counts[size, size * (size + 1) :]
    every[: found.size] = found / found.sum()
    every.flags.writeable = False
    return every


def _signed_rank_lattice(differences: Array) -> _Lattice:
    """The distribution of twice the sum of ranks of pairs in which the first scores more."""
    present = differences[differences != 0]
    doubled = np.rint(2 * stats.rankdata(np.abs(present))).astype(np.int64)
    probabilities = np.zeros(int(doubled.sum()) + 1)
    probabilities[0] = 1.0
    for rank in doubled.tolist():
        probabilities *= 0.5
        probabilities[rank:] += probabilities[: probabilities.size - rank].copy()
    return _Lattice(probabilities, int(doubled[present > 0].sum()))


def _combined(lattices: Sequence[_Lattice]) -> float:
    """The p value of the mean of several statistics, each as a share of its largest value."""
    spans = [lattice.probabilities.size - 1 for lattice in lattices]
    common = math.lcm(*spans)
    if common * len(spans) > _MAX_LATTICE:
        return _normal_p_value(lattices)
    whole, observed = np.ones(1), 0
    for lattice, span in zip(lattices, spans, strict=True):
        stride = common // span
        spread = np.zeros(common + 1)
        spread[::stride] = lattice.probabilities
        whole, observed = np.convolve(whole, spread), observed + stride * lattice.observed
    return float(min(1.0, 2 * min(whole[: observed + 1].sum(), whole[observed:].sum())))


def _normal_p_value(lattices: Sequence[_Lattice]) -> float:
    deviation = variance = 0.0
    for probabilities, observed in lattices:
        shares = np.arange(probabilities.size) / (probabilities.size - 1)
        centre = float(probabilities @ shares)
        deviation += observed / (probabilities.size - 1) - centre
        variance += float(probabilities @ (shares - centre) ** 2)
    return float(2 * special.ndtr(-abs(deviation) / variance**0.5)) if variance > 0 else 1.0
