"""Tables of all methods against each other: improvement, tests, ranks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from harness.analysis import significance, statistics
from harness.analysis.bootstrap import Array, resamples_of
from harness.analysis.ranks import mean_ranks
from harness.analysis.suite_scores import SuiteScores

_MIN_PAIRS = 3


def comparisons(data: SuiteScores) -> Iterator[tuple[object, ...]]:
    """A row for each pair of methods, over the tasks that both have scores on."""
    rows = [row for pair in combinations(data.labels, 2) if (row := _compare(data, *pair))]
    adjusted = significance.holm([p_value for _, p_value in rows])
    for (facts, p_value), corrected in zip(rows, adjusted.tolist(), strict=True):
        yield data.suite, *facts, p_value, corrected


def _compare(data: SuiteScores, label: str, other: str) -> tuple[tuple[object, ...], float] | None:
    """The pair's facts, and the p value of the rank-sum test; ``None`` where the two share no task."""
    common = [task for task in data.tasks if (label, task) in data.ranked and (other, task) in data.ranked]
    if not common:
        return None
    mine, theirs = ([data.ranked[one, task] for task in common] for one in (label, other))
    random = data.random("comparisons", label, other)
    n_resamples = resamples_of(sum(map(len, [*mine, *theirs])), statistics.N_BAND_RESAMPLES)
    estimate = statistics.probability_of_improvement(mine, theirs, random, n_resamples, data.intervals)
    normalised = [task for task in common if task in data.scale]
    difference = p_difference = None
    if normalised:
        x, y = ([data.normalised[one, task] for task in normalised] for one in (label, other))
        difference = float(np.mean([a.mean() - b.mean() for a, b in zip(x, y, strict=True)]))
        p_difference = significance.mean_difference(x, y, random)
    pairs = [pair for task in common if (pair := data.paired(label, other, task))[0].size]
    n_pairs = sum(x.size for x, _ in pairs)
    p_signed = significance.signed_rank(*zip(*pairs, strict=True)) if pairs else None
    facts = (len(common), sum(map(len, mine)), sum(map(len, theirs)), n_pairs, _correlation(pairs), difference)
    return (label, other, *estimate, *facts, p_difference, p_signed), significance.rank_sum(mine, theirs)


def _correlation(pairs: list[tuple[Array, Array]]) -> float | None:
    """How far runs with the same seed are alike beyond what their tasks and methods have in common."""
    centred = [(x - x.mean(), y - y.mean()) for x, y in pairs if x.size >= _MIN_PAIRS]
    if not centred:
        return None
    x, y = (np.concatenate(part) for part in zip(*centred, strict=True))
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0 else None


def ranks(data: SuiteScores) -> Iterator[tuple[object, ...]]:
    """A row for each method, over the tasks on which all methods have scores."""
    common = [task for task in data.tasks if all((label, task) in data.ranked for label in data.labels)]
    if len(data.labels) < 2 or not common:
        return
    methods = [[data.ranked[label, task] for task in common] for label in data.labels]
    found = mean_ranks(methods, data.random("ranks", *data.labels), intervals=data.intervals)
    for label, method, rank in zip(data.labels, methods, found, strict=True):
        yield data.suite, label, *rank.mean, rank.first, len(common), sum(map(len, method))
