"""Ranks and learning speed: against SciPy on random scores and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats

from harness.analysis.bootstrap import named_generator
from harness.analysis.learning import Arrival, area_under_curve, median_arrival, steps_to_threshold
from harness.analysis.ranks import mean_ranks

WHOLE = st.integers(-3, 3).map(float)


# --- ranks -----------------------------------------------------------------------------------------------------------
@given(
    st.tuples(st.integers(2, 4), st.integers(3, 5), st.integers(1, 3)).flatmap(lambda s: arrays(np.float64, s, elements=WHOLE))
)
@settings(deadline=None)
def test_ranks_are_scipys_of_the_means_of_tasks(matrices):
    """Methods, seeds, tasks."""
    found = mean_ranks([list(matrix.T) for matrix in matrices], named_generator("x"), 20)
    expected = stats.rankdata(-np.round(matrices.mean(axis=1), 12), axis=0).mean(axis=1)
    assert [rank.mean.value for rank in found] == pytest.approx(expected)
    assert sum(rank.mean.value for rank in found) == pytest.approx(len(found) * (len(found) + 1) / 2)
    for rank in found:
        assert 1 <= rank.mean.low <= rank.mean.high <= len(found)
    assert sum(rank.first for rank in found) >= 1 - 1e-9  # methods that share the first place count each


def test_methods_that_separate_have_certain_ranks_and_equal_ones_share_them():
    one, two = [np.arange(4.0)], [np.arange(4.0) + 10]
    best, worst = mean_ranks([two, one], named_generator("x"), 200)
    assert (best.mean, best.first) == ((1.0, 1.0, 1.0), 1.0)
    assert (worst.mean, worst.first) == ((2.0, 2.0, 2.0), 0.0)
    same = mean_ranks([one, one], named_generator("x"), 2000)
    assert [rank.mean.value for rank in same] == [1.5, 1.5]
    assert same[0].first == pytest.approx(0.55, abs=0.08)


def test_ranks_of_few_seeds_have_no_interval():
    (rank, _) = mean_ranks([[np.arange(2.0)], [np.arange(5.0)]], named_generator("x"), 20)
    assert rank.mean == (2.0, None, None)
    assert np.isnan(rank.first)


# --- areas -----------------------------------------------------------------------------------------------------------
CURVES = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(-5, 5, allow_subnormal=False)),
    min_size=2,
    max_size=12,
    unique_by=lambda p: p[0],
)


@given(CURVES.map(sorted))
@settings(deadline=None)
def test_area_is_scipys_over_the_span(points):
    steps, scores = (np.array(part, dtype=float) for part in zip(*points, strict=True))
    expected = integrate.trapezoid(scores, steps) / (steps[-1] - steps[0])
    assert area_under_curve(steps, scores) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert scores.min() - 1e-9 <= area_under_curve(steps, scores) <= scores.max() + 1e-9


def test_area_of_one_evaluation_is_its_score():
    assert area_under_curve(np.array([1000.0]), np.array([3.0])) == 3.0


# --- arrivals --------------------------------------------------------------------------------------------------------
def test_steps_to_a_score():
    steps, scores = np.array([100.0, 200.0, 300.0]), np.array([0.1, 0.5, 0.4])
    assert steps_to_threshold(steps, scores, 0.5) == Arrival(200.0, True)
    assert steps_to_threshold(steps, scores, 0.1) == Arrival(100.0, True)
    assert steps_to_threshold(steps, scores, 0.6) == Arrival(300.0, False)


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=12))
@settings(deadline=None)
def test_median_with_censoring_is_that_of_scipys_kaplan_meier(runs):
    times, reached = [time for time, _ in runs], [arrived for _, arrived in runs]
    found = median_arrival(times, reached)
    arrived = [time for time, there in runs if there]
    if not arrived:
        assert found is None
        return
    censored = stats.CensoredData(uncensored=arrived, right=[time for time, there in runs if not there])
    survival = stats.ecdf(censored).sf
    below = survival.quantiles[survival.probabilities <= 0.5 + 1e-12]
    assert found == (float(below[0]) if below.size else None)


def test_runs_that_never_arrive_are_not_left_out():
    assert median_arrival([100, 1000, 1000], [True, False, False]) is None
    assert median_arrival([100, 200, 1000], [True, True, False]) == 200.0
