"""Statistics of matrices are rliable's, and those of the report."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rliable import metrics

import harness
from harness.errors import UserError

RNG = np.random.default_rng(1)
SCORES = {"ppo": RNG.normal(0.3, 0.2, (6, 4)), "rnd": RNG.normal(0.5, 0.2, (5, 4))}


def test_aggregates_are_rliables() -> None:
    table = harness.aggregate_scores(SCORES, n_resamples=2_000)
    expected = {
        "iqm": metrics.aggregate_iqm,
        "median": metrics.aggregate_median,
        "mean": metrics.aggregate_mean,
        "optimality_gap": metrics.aggregate_optimality_gap,
    }
    for method, metric, value, low, high in table.rows():
        assert value == pytest.approx(expected[metric](SCORES[method]))
        assert low < value < high
    assert table.select("method", "metric").n_unique() == 8


def test_a_methods_interval_depends_on_seed_and_name_alone() -> None:
    one = harness.aggregate_scores(SCORES, n_resamples=500)
    alone = harness.aggregate_scores({"rnd": SCORES["rnd"]}, n_resamples=500)
    assert one.filter(method="rnd").equals(alone)
    assert not harness.aggregate_scores(SCORES, seed=1, n_resamples=500).equals(one)


def test_improvement_and_profiles() -> None:
    (row,) = harness.probability_of_improvement(SCORES, "ppo", n_resamples=500).rows(named=True)
    assert (row["baseline"], row["method"]) == ("ppo", "rnd")
    assert row["value"] == pytest.approx(metrics.probability_of_improvement(SCORES["rnd"], SCORES["ppo"]))
    profile = harness.performance_profiles(SCORES, [0.2, 0.4], n_resamples=500).filter(method="ppo", threshold=0.4)
    assert profile["value"].item() == pytest.approx((SCORES["ppo"] > 0.4).mean())
    assert harness.performance_profiles(SCORES, n_resamples=10).height == 2 * 101


def test_a_missing_run_costs_its_task_a_run_and_nothing_else() -> None:
    holes = {"ppo": SCORES["ppo"].copy()}
    holes["ppo"][5, 2] = np.nan
    mean = harness.aggregate_scores(holes, n_resamples=200).filter(metric="mean")["value"].item()
    assert mean == pytest.approx(np.nanmean(holes["ppo"], axis=0).mean())


def test_too_few_runs_have_no_interval() -> None:
    two = {name: matrix[:2] for name, matrix in SCORES.items()}
    assert harness.aggregate_scores(two)["low"].null_count() == 8
    assert harness.probability_of_improvement(two, "rnd")["high"].null_count() == 1
    assert harness.performance_profiles(two, [0.5])["low"].null_count() == 2


def test_normalised_scores() -> None:
    (scores,) = harness.normalise_scores({"ppo": [[1, 10], [3, 30]]}, low=[1, 10], high=[2, 50]).values()
    np.testing.assert_allclose(scores, [[0, 0], [2, 0.5]])


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "at least one method"),
        ({"ppo": [1, 2]}, r"scores of 'ppo' must have shape (runs, tasks), not (2,); for one task use scores[:, None]"),
        (
            {"ppo": np.zeros((3, 2)), "rnd": np.zeros((2, 3))},
            "'ppo' has 2, and 'rnd' has 3 (rows are runs, columns are tasks)",
        ),
        ({"ppo": [[1, np.inf]]}, "hold an infinite number"),
        ({"ppo": [[1, np.nan], [2, np.nan]]}, "method 'ppo' has no score on task 1"),
    ],
)
def test_what_is_no_matrix_of_scores_is_refused(scores: Any, message: str) -> None:
    with pytest.raises(UserError) as refused:
        harness.aggregate_scores(scores)
    assert message in str(refused.value)


def test_other_input_that_is_refused() -> None:
    with pytest.raises(UserError, match="unknown baseline 'pop': did you mean 'ppo'"):
        harness.probability_of_improvement(SCORES, "pop")
    with pytest.raises(UserError, match="one row of finite numbers"):
        harness.performance_profiles(SCORES, [[0.5]])
    with pytest.raises(UserError, match="different for every task"):
        harness.normalise_scores(SCORES, low=[0] * 4, high=[1, 1, 1, 0])
    with pytest.raises(UserError, match="one number for each of 4 tasks"):
        harness.normalise_scores(SCORES, low=[0], high=[1] * 4)
