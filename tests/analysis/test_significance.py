"""Tests between methods: against SciPy and statsmodels on random scores, and against enumeration over several tasks."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from harness.analysis import significance
from harness.analysis.bootstrap import named_generator

DISTINCT = st.lists(st.integers(-500, 500), min_size=6, max_size=14, unique=True).map(lambda values: np.array(values) / 7)
TIED = st.integers(-2, 2).map(float)


@given(DISTINCT, st.integers(2, 4))
@settings(deadline=None)
def test_rank_sum_of_one_task_is_scipys_exact_one(scores, size):
    x, y = scores[:size], scores[size:]
    assert significance.rank_sum([x], [y]) == pytest.approx(stats.mannwhitneyu(x, y, method="exact").pvalue, rel=1e-9)


@given(arrays(np.float64, st.integers(2, 4), elements=TIED), arrays(np.float64, st.integers(2, 4), elements=TIED))
@settings(deadline=None, max_examples=30)
def test_rank_sum_with_ties_is_the_permutation_test_of_u(x, y):
    shares = [stats.mannwhitneyu(a, b).statistic for a, b in _divisions(x, y)]
    assert significance.rank_sum([x], [y]) == pytest.approx(_two_sided(shares), rel=1e-9)


@given(st.lists(st.tuples(*[arrays(np.float64, st.integers(2, 3), elements=TIED)] * 2), min_size=2, max_size=2))
@settings(deadline=None, max_examples=20)
def test_rank_sum_over_tasks_permutes_within_each(pairs):
    chances = [[np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b)) for a, b in _divisions(x, y)] for x, y in pairs]
    shares = [sum(one) for one in product(*chances)]
    x, y = zip(*pairs, strict=True)
    assert significance.rank_sum(x, y) == pytest.approx(_two_sided(shares), rel=1e-9)


@given(DISTINCT)
@settings(deadline=None)
def test_signed_rank_of_one_task_is_scipys_exact_one(differences):
    assume(np.unique(np.abs(differences)).size == differences.size and 0 not in differences)
    x = np.arange(differences.size) * 1000.0
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert significance.signed_rank([x + differences], [x]) == pytest.approx(expected, rel=1e-9)


def test_signed_rank_leaves_equal_pairs_out():
    x, y = np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.0, 1.0, 1.0, 1.0])
    assert significance.signed_rank([x], [y]) == pytest.approx(2 / 2**3)
    assert significance.signed_rank([y], [y]) == 1.0
    assert significance.signed_rank([x, y], [y, y]) == pytest.approx(2 / 2**3)


@given(DISTINCT, st.integers(2, 4))
@settings(deadline=None, max_examples=30)
def test_mean_difference_of_one_task_is_scipys_permutation_test(scores, size):
    x, y = scores[:size], scores[size:]
    difference = lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis)  # noqa: E731
    expected = stats.permutation_test((x, y), difference, n_resamples=np.inf, vectorized=True).pvalue
    assert significance.mean_difference([x], [y], named_generator("x")) == pytest.approx(expected, rel=1e-9)


def test_mean_difference_over_tasks_is_near_the_enumeration():
    random = np.random.default_rng(4)
    x, y = list(random.normal(0.5, 1, size=(2, 4))), list(random.normal(size=(2, 4)))
    values = [[a.mean() - b.mean() for a, b in _divisions(*pair)] for pair in zip(x, y, strict=True)]
    expected = _two_sided([sum(one) / 2 for one in product(*values)])
    assert significance.mean_difference(x, y, named_generator("x")) == pytest.approx(expected, abs=0.02)


def test_many_runs_take_the_normal_distribution():
    random = np.random.default_rng(5)
    x = [random.normal(0.2, 1, size=size) for size in (41, 43, 47)]
    y = [random.normal(0.0, 1, size=size) for size in (37, 53, 31)]
    one = significance.rank_sum(x[:1], y[:1])
    assert one == pytest.approx(stats.mannwhitneyu(x[0], y[0], method="asymptotic", use_continuity=False).pvalue, abs=0.01)
    assert 0 < significance.rank_sum(x, y) < 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_statsmodels(p_values):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    expected = multitest.multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(significance.holm(p_values), expected, rtol=1e-12)


def _divisions(x, y):
    """Every way to divide the scores of two methods between them, the real one first."""
    pooled = np.concatenate([x, y])
    for chosen in combinations(range(pooled.size), x.size):
        rest = np.setdiff1d(np.arange(pooled.size), chosen)
        yield pooled[list(chosen)], pooled[rest]


def _two_sided(values):
    values = np.asarray(values)
    return min(1.0, 2 * min(np.mean(values <= values[0] + 1e-9), np.mean(values >= values[0] - 1e-9)))
