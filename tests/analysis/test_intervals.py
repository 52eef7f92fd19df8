"""Intervals that hold what they say: against SciPy, against simulations, and against the table that the report quotes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from interval_coverage import simulate
from scipy import stats

from harness.analysis import bootstrap, coverage, exact, statistics
from harness.analysis.bootstrap import Expansion, named_generator
from harness.analysis.curves import curve

SCORES = st.floats(-2, 3, allow_subnormal=False).map(lambda value: round(value, 6))


# --- how far out -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seeds", [3, 5, 10, 50])
def test_expanded_quantiles_of_one_task_are_hesterbergs(seeds):
    scores = np.random.default_rng(0).normal(size=seeds)
    tail = stats.norm.cdf(-np.sqrt(seeds / (seeds - 1)) * stats.t.ppf(0.975, seeds - 1))
    assert Expansion.of([scores]).quantiles == pytest.approx((tail, 1 - tail), rel=1e-9)
    assert bootstrap.quantiles_of("rliable", [scores]) == pytest.approx((0.025, 0.975))


@given(st.lists(arrays(np.float64, st.integers(2, 8), elements=SCORES), min_size=2, max_size=4))
@settings(deadline=None)
def test_degrees_of_freedom_are_welchs(cells):
    if min(cell.std() for cell in cells[:2]) < 1e-3:
        return
    welch = stats.ttest_ind(cells[0], cells[1], equal_var=False).df
    assert Expansion.of(cells[:1], cells[1:2]).freedom == pytest.approx(welch, rel=1e-9)


def test_an_expanded_interval_contains_rliables():
    cells = list(np.random.default_rng(3).normal(size=(3, 5)))
    wide = statistics.aggregates(cells, named_generator("x"), 4000)
    narrow = statistics.aggregates(cells, named_generator("x"), 4000, "rliable")
    for metric, (value, low, high) in narrow.items():
        assert wide[metric].value == value
        assert wide[metric].low < low < high < wide[metric].high


# --- without resamples -----------------------------------------------------------------------------------------------
@given(arrays(np.float64, st.integers(3, 9), elements=SCORES))
@settings(deadline=None)
def test_mean_of_one_task_has_students_interval(scores):
    if scores.std() < 1e-3 or exact.are_successes(scores):
        return
    expected = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    estimate = statistics.mean(scores, named_generator("x"))
    assert estimate[1:] == pytest.approx(tuple(expected), rel=1e-9, abs=1e-9)
    assert statistics.aggregates([scores], named_generator("x"), 10)["mean"] == pytest.approx(estimate)


@given(st.integers(0, 12), st.integers(3, 12))
@settings(deadline=None)
def test_scores_of_0_and_1_are_counted(successes, runs):
    scores = (np.arange(runs) < successes).astype(float)
    low, high = stats.binomtest(int(scores.sum()), runs).proportion_ci(0.95, method="exact")
    assert statistics.mean(scores, named_generator("x")) == pytest.approx((scores.mean(), low, high))
    raw = statistics.mean(10 + 90 * scores, named_generator("x"), ends=(10.0, 100.0))
    assert raw == pytest.approx((10 + 90 * scores.mean(), 10 + 90 * low, 10 + 90 * high))
    several = statistics.aggregates([scores, scores], named_generator("x"), 10)
    low, high = stats.binomtest(2 * int(scores.sum()), 2 * runs).proportion_ci(0.95, method="exact")
    assert several["mean"] == pytest.approx((scores.mean(), low, high))
    assert several["optimality_gap"] == pytest.approx((1 - scores.mean(), 1 - high, 1 - low))


def test_a_success_rate_has_an_interval_whatever_the_number_of_runs():
    assert exact.success_interval(3, 3) == pytest.approx((1.0, 0.2924, 1.0), abs=1e-4)
    assert exact.success_interval(0, 1).high == pytest.approx(0.975)


@pytest.mark.parametrize(("sizes", "runs"), [((5,), 5), ((4, 4, 4), 12), ((10, 5), 13)])
def test_bands_of_profiles_are_kolmogorovs(sizes, runs):
    cells = [np.random.default_rng(size).normal(size=size) for size in sizes]
    band = statistics.performance_profile(cells, np.linspace(-1, 1, 5), named_generator("x"))
    half = stats.kstwo.ppf(0.95, runs)
    np.testing.assert_allclose(band.high, np.minimum(band.value + half, 1))
    np.testing.assert_allclose(band.low, np.maximum(band.value - half, 0))


# --- curves ----------------------------------------------------------------------------------------------------------
def test_band_of_a_curve_of_one_point_is_about_students_interval():
    scores = np.random.default_rng(1).normal(size=12)
    band = curve([scores[:, None]], named_generator("x"), iqm=False, n_resamples=20_000)
    estimate = exact.t_interval(scores)
    assert band.high[0] - band.low[0] == pytest.approx(estimate.high - estimate.low, rel=0.03)


def test_band_of_a_curve_widens_with_points_that_vary_by_themselves():
    random = np.random.default_rng(1)
    same, own = np.repeat(random.normal(size=(8, 1)), 20, axis=1), random.normal(size=(8, 20))
    widths = []
    for scores in (same, own):
        band = curve([scores], named_generator("x"), iqm=False)
        widths.append(np.mean((band.high - band.low) / scores.std(axis=0, ddof=1)))
    assert widths[1] > 1.3 * widths[0]


def test_seeds_that_agree_give_a_band_without_width():
    band = curve([np.ones((4, 3))], named_generator("x"), iqm=False)
    np.testing.assert_array_equal(np.stack(band), 1.0)


# --- the table that the report quotes --------------------------------------------------------------------------------
def test_the_table_is_what_its_command_measures():
    """A few simulations again: streams are the same, so the committed figures are near."""
    again = pl.DataFrame(list(simulate(30, 400, quiet=True, only=(("normal", 1, 5), ("0 or 1", 1, 3)))))
    committed = pl.read_csv(coverage.COVERAGE_FILE)
    both = again.join(committed, on=["what", "intervals", "scores", "tasks", "seeds"], suffix=" committed")
    assert both.height == again.height > 20
    spread = (both["rate"] - both["rate committed"]).abs()
    assert spread.max() < 0.35
    assert spread.mean() < 0.06


def test_the_table_has_every_figure_of_500_simulations_and_shows_that_the_default_holds():
    assert coverage.number_of_simulations() >= 500
    for seeds in coverage.SEEDS:
        assert coverage.measured("mean", "normal", 1, seeds) == pytest.approx(0.95, abs=0.03)
        assert coverage.measured("mean", "0 or 1", 1, seeds) >= 0.94
        assert coverage.measured("iqm", "normal", 3, seeds) == pytest.approx(0.95, abs=0.035)
        assert coverage.measured("verdict", "normal", 1, seeds, "test") <= 0.07
        assert coverage.measured("whole profile", "normal", 3, seeds) >= 0.92
    assert coverage.measured("mean", "normal", 1, 3, "rliable") < 0.85
    assert coverage.describe("verdict", "normal", 1, "test").startswith("0 % with 3 seeds, ")
