"""Statistics against rliable, against direct definitions, and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rliable import library, metrics
from scipy.stats import trim_mean

from harness.analysis import bootstrap, statistics
from harness.analysis.curves import align_curves, curve

RLIABLES = bootstrap.RLIABLE  # intervals of rliable's own definition
SCORES = st.floats(-2, 3, allow_subnormal=False)
SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 5))  # seeds, tasks

RLIABLE = {
    "iqm": metrics.aggregate_iqm,
    "median": metrics.aggregate_median,
    "mean": metrics.aggregate_mean,
    "optimality_gap": metrics.aggregate_optimality_gap,
}


def columns(matrix: np.ndarray) -> list[np.ndarray]:
    return list(matrix.T)


def example(seeds: int = 10, tasks: int = 5) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(seeds, tasks)) * np.linspace(0.2, 1, tasks) + np.linspace(0, 1, tasks)


def rliable_intervals(scores, function, reps: int) -> tuple[np.ndarray, np.ndarray]:
    np.random.seed(0)  # the global stream is the only one that rliable draws from
    _, intervals = library.get_interval_estimates({"x": scores}, function, reps=reps)
    return intervals["x"]


# --- aggregates ------------------------------------------------------------------------------------------------------
@given(SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=SCORES)))
@settings(deadline=None)
def test_complete_matrix_gives_rliables_values(matrix):
    estimates = statistics.aggregates(columns(matrix), statistics.named_generator("x"), n_resamples=2)
    for name, definition in RLIABLE.items():
        assert estimates[name].value == pytest.approx(definition(matrix), abs=1e-12)


@given(st.lists(SCORES, min_size=1, max_size=8), st.integers(3, 9))
@settings(deadline=None)
def test_resamples_use_rliables_definitions(levels, seeds):
    """Where all seeds of a task agree, every resample is the data, so the ends are what rliable says of the data."""
    matrix = np.tile(levels, (seeds, 1))
    estimates = statistics.aggregates(columns(matrix), statistics.named_generator("x"), 20, RLIABLES)
    for name, definition in RLIABLE.items():
        value, low, high = estimates[name]
        assert [value, low, high] == pytest.approx([definition(matrix)] * 3, abs=1e-12)


@given(st.lists(st.tuples(SCORES, st.integers(3, 7)), min_size=1, max_size=6))
@settings(deadline=None)
def test_resamples_give_every_task_the_same_weight(tasks):
    cells = [np.full(seeds, level) for level, seeds in tasks]
    estimates = statistics.aggregates(cells, statistics.named_generator("x"), 20, RLIABLES)
    matrix = np.array([[level for level, _ in tasks]])
    for name in ("median", "mean", "optimality_gap"):
        value, low, high = estimates[name]
        assert [value, low, high] == pytest.approx([RLIABLE[name](matrix)] * 3, abs=1e-12)


@given(arrays(np.float64, (4, 3), elements=SCORES), st.lists(st.integers(1, 4), min_size=3, max_size=3))
@settings(deadline=None)
def test_every_task_weighs_the_same_whatever_its_number_of_seeds(matrix, copies):
    cells = [np.repeat(column, n) for column, n in zip(matrix.T, copies, strict=True)]
    estimates = statistics.aggregates(cells, statistics.named_generator("x"), n_resamples=2)
    for name, definition in RLIABLE.items():
        assert estimates[name].value == pytest.approx(definition(matrix), abs=1e-12)


@pytest.mark.parametrize(("tasks", "seeds"), [(3, 5), (1, 127), (1, 128), (2, 16_383), (2, 16_384)])
def test_iqm_of_a_resample_is_that_of_the_runs_it_drew(tasks, seeds):
    strata, scores = bootstrap.Strata((seeds,) * tasks), np.random.default_rng(2).normal(size=(tasks * seeds, 2))
    weights = next(strata.resamples(statistics.named_generator("x"), 3, 3))
    drawn = [np.repeat(scores, row.astype(int), axis=0) for row in weights]
    np.testing.assert_allclose(statistics.iqm(strata, weights, scores), [trim_mean(runs, 0.25) for runs in drawn], rtol=1e-9)


def test_the_draws_of_a_complete_matrix_are_made_task_after_task():
    """So that its intervals, and those of earlier reports, stay as they are to the last digit."""
    strata, random = bootstrap.Strata((4, 4, 4)), statistics.named_generator("x")
    for weights in strata.resamples(statistics.named_generator("x"), 10, 6):
        draws = [random.integers(first, first + 4, size=(len(weights), 4)) for first in (0, 4, 8)]
        rows = [np.bincount(np.concatenate(row), minlength=12) for row in zip(*draws, strict=True)]
        assert np.array_equal(weights, rows)


def test_ragged_iqm_by_hand():
    # Five runs weigh five in all, half of it for each task; a weight of floor(5 / 4) is cut at each end.
    cells = [np.array([0.0, 10.0]), np.array([1.0, 2.0, 3.0])]
    kept = np.array([5 / 4 - 1, 5 / 4 - 1, 5 / 6, 5 / 6, 5 / 6])
    expected = kept @ np.concatenate(cells) / 3
    assert statistics.aggregates(cells, statistics.named_generator("x"), 2)["iqm"].value == pytest.approx(expected, abs=1e-12)


def test_intervals_agree_with_rliable():
    matrix = example()
    ours = statistics.aggregates(columns(matrix), statistics.named_generator("x"), intervals=RLIABLES)
    low, high = rliable_intervals(matrix, lambda x: np.array([f(x) for f in RLIABLE.values()]), reps=4000)
    for i, name in enumerate(RLIABLE):
        width = high[i] - low[i]
        assert ours[name].low == pytest.approx(low[i], abs=0.1 * width)
        assert ours[name].high == pytest.approx(high[i], abs=0.1 * width)


def test_interval_of_a_cell_is_the_bootstrap_of_its_mean():
    scores = example()[:, 2]
    resampled = np.random.default_rng(5).choice(scores, (50_000, len(scores))).mean(axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    estimate = statistics.mean(scores, statistics.named_generator("x"), intervals=RLIABLES)
    assert estimate.value == pytest.approx(scores.mean(), abs=1e-12)
    assert [estimate.low, estimate.high] == pytest.approx([low, high], abs=0.1 * (high - low))


@pytest.mark.parametrize("smallest", [1, 2])
def test_no_interval_below_three_seeds(smallest):
    cells = [np.arange(smallest, dtype=float), np.arange(5.0)]
    assert all(
        e.low is None and e.high is None for e in statistics.aggregates(cells, statistics.named_generator("x")).values()
    )
    assert statistics.mean(cells[0], statistics.named_generator("x"))[1:] == (None, None)
    assert statistics.probability_of_improvement(cells, [c + 1 for c in cells], statistics.named_generator("x"))[1:] == (
        None,
        None,
    )
    band = statistics.performance_profile(cells, np.linspace(0, 1, 4), statistics.named_generator("x"))
    assert np.isnan(band.low).all()
    assert np.isfinite(band.value).all()


@pytest.mark.parametrize("cells", [[], [np.array([])], [np.ones(3), np.array([])]])
def test_a_task_without_scores_is_refused(cells):
    with pytest.raises(ValueError, match="at least one score"):
        statistics.aggregates([*cells], statistics.named_generator("x"))


# --- reproducibility -------------------------------------------------------------------------------------------------
def test_streams_follow_from_names_alone():
    assert statistics.named_generator("suite", "rnd").integers(10**9, size=3).tolist() == [731082975, 812383698, 143152154]
    assert statistics.named_generator("suite", "rnd").random() != statistics.named_generator("suiternd").random()
    assert statistics.named_generator("a", "bc").random() != statistics.named_generator("ab", "c").random()


def test_same_scores_give_the_same_digits():
    cells = [np.array([0.0, 0.5, 0.25, 1.0]), np.array([0.75, 0.125, 0.5])]
    first, second = (statistics.aggregates(cells, statistics.named_generator("pinned"), intervals=RLIABLES) for _ in range(2))
    assert first == second
    assert [round(end, 9) for end in first["iqm"]] == [0.430208333, 0.170703125, 0.7125]


def test_small_chunks_give_the_same_distribution(monkeypatch):
    cells = columns(example())
    whole = statistics.aggregates(cells, statistics.named_generator("x"), 20_000)
    monkeypatch.setattr(bootstrap, "CHUNK", 64 * cells[0].size * len(cells))
    parts = statistics.aggregates(cells, statistics.named_generator("x"), 20_000)
    for name, estimate in whole.items():
        assert parts[name] == pytest.approx(estimate, abs=0.02)


# --- profiles --------------------------------------------------------------------------------------------------------
def test_profile_equals_rliables():
    matrix, thresholds = example(), np.linspace(-0.5, 2, 21)
    band = statistics.performance_profile(columns(matrix), thresholds, statistics.named_generator("x"), intervals=RLIABLES)
    np.random.seed(0)
    values, intervals = library.create_performance_profile({"x": matrix}, thresholds, reps=1500)
    np.testing.assert_allclose(band.value, values["x"], atol=1e-12)
    np.testing.assert_allclose(np.stack(band[1:]), intervals["x"], atol=0.03)


@given(st.lists(arrays(np.float64, st.integers(1, 6), elements=SCORES), min_size=1, max_size=4))
@settings(deadline=None)
def test_profile_is_the_mean_over_tasks_and_never_rises(cells):
    thresholds = np.linspace(-2, 3, 11)
    band = statistics.performance_profile(cells, thresholds, statistics.named_generator("x"), n_resamples=2)
    direct = np.mean([(cell[:, None] > thresholds).mean(axis=0) for cell in cells], axis=0)
    np.testing.assert_allclose(band.value, direct, atol=1e-12)
    assert (np.diff(band.value) <= 1e-12).all()


# --- probability of improvement --------------------------------------------------------------------------------------
ROUNDED = st.integers(-3, 3).map(float)  # so that ties occur


@given(SHAPES.flatmap(lambda s: st.tuples(arrays(np.float64, s, elements=ROUNDED), arrays(np.float64, s, elements=ROUNDED))))
@settings(deadline=None)
def test_improvement_equals_rliables(pair):
    x, y = pair
    estimate = statistics.probability_of_improvement(columns(x), columns(y), statistics.named_generator("x"), n_resamples=2)
    assert estimate.value == pytest.approx(metrics.probability_of_improvement(x, y), abs=1e-12)


CELLS = st.lists(arrays(np.float64, st.integers(3, 6), elements=ROUNDED), min_size=2, max_size=2)


@given(CELLS, CELLS)
@settings(deadline=None)
def test_improvement_is_the_share_of_pairs_and_its_own_complement(x, y):
    forth = statistics.probability_of_improvement(x, y, statistics.named_generator("x"), n_resamples=50)
    back = statistics.probability_of_improvement(y, x, statistics.named_generator("x"), n_resamples=50)
    pairs = [np.mean([(a > b) + 0.5 * (a == b) for a in xs for b in ys]) for xs, ys in zip(x, y, strict=True)]
    assert forth.value == pytest.approx(np.mean(pairs), abs=1e-12)
    assert forth.value + back.value == pytest.approx(1, abs=1e-12)
    assert 0 <= forth.low <= forth.high <= 1 + 1e-12


def test_improvement_intervals_agree_with_rliable():
    x, y = example(), example()[::-1] * 0.5 + 0.3
    ours = statistics.probability_of_improvement(columns(x), columns(y), statistics.named_generator("x"), intervals=RLIABLES)
    low, high = rliable_intervals((x, y), lambda a, b: np.array([metrics.probability_of_improvement(a, b)]), reps=500)
    assert [ours.low, ours.high] == pytest.approx([low[0], high[0]], abs=0.15 * (high[0] - low[0]))


# --- curves ----------------------------------------------------------------------------------------------------------
def test_curve_is_the_iqm_at_each_point_with_rliables_intervals():
    curves = np.cumsum(np.random.default_rng(3).random((8, 4, 6)), axis=2)  # seeds, tasks, points
    cells = [curves[:, task] for task in range(4)]
    band = curve(cells, statistics.named_generator("x"), iqm=True, intervals=RLIABLES)
    np.testing.assert_allclose(band.value, [metrics.aggregate_iqm(curves[..., k]) for k in range(6)], atol=1e-12)
    iqms = lambda scores: np.array([metrics.aggregate_iqm(scores[..., k]) for k in range(scores.shape[-1])])  # noqa: E731
    low, high = rliable_intervals(curves, iqms, reps=1500)
    np.testing.assert_allclose(band.low, low, atol=0.12 * (high - low).max())
    np.testing.assert_allclose(band.high, high, atol=0.12 * (high - low).max())


def test_curve_uses_the_runs_that_are_there():
    scores = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, np.nan], [5.0, 6.0, np.nan], [np.nan, 8.0, np.nan]])
    band = curve([scores], statistics.named_generator("x"), iqm=False)
    np.testing.assert_allclose(band.value, [3.0, 5.0, 3.0])
    assert np.isfinite(band.low[:2]).all()
    assert np.isnan(band.low[2])  # one seed


def test_curve_ends_where_a_task_has_no_run():
    cells = [np.ones((3, 2)), np.array([[1.0, np.nan]] * 3)]
    np.testing.assert_array_equal(curve(cells, statistics.named_generator("x"), iqm=True).value, [1.0, np.nan])


# --- alignment -------------------------------------------------------------------------------------------------------
STEPS = st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True).map(sorted)


@given(st.lists(STEPS, min_size=1, max_size=5))
def test_alignment_never_leaves_a_runs_own_measurements(all_steps):
    curves = [(np.array(steps, dtype=float), np.array(steps) * 2.0 + i) for i, steps in enumerate(all_steps)]
    grid, scores, interpolated = align_curves(curves)
    assert grid[-1] == max(steps[-1] for steps in all_steps)
    for i, steps in enumerate(all_steps):
        inside = (grid >= steps[0]) & (grid <= steps[-1])
        np.testing.assert_array_equal(np.isnan(scores[i]), ~inside)
        np.testing.assert_allclose(scores[i, inside], grid[inside] * 2.0 + i)  # linear curves stay themselves
    nested = all(set(grid[(grid >= steps[0]) & (grid <= steps[-1])]) <= set(steps) for steps in all_steps)
    assert interpolated == (not nested)


def test_alignment_keeps_measured_scores_exactly_and_knows_no_order():
    curves = [(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.7, 0.2])), (np.array([1.0, 2.0]), np.array([0.3, 0.9]))]
    grid, scores, interpolated = align_curves(curves)
    np.testing.assert_array_equal(scores, [[0.1, 0.7, 0.2], [0.3, 0.9, np.nan]])
    assert not interpolated
    np.testing.assert_array_equal(align_curves(curves[::-1])[0], grid)
