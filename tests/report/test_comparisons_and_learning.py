"""The tables of all methods against each other, and of how fast they learn, as readers get them."""

from __future__ import annotations

import polars as pl
import pytest
from report.synthetic import write_run, write_suite
from report.test_reliability import csv, text
from rliable import metrics
from scipy import stats

from harness.spec import EnvironmentSpec

METHODS = {"ppo": 3.0, "rnd": 6.0, "snd": 5.5}


def test_all_pairs_are_compared_with_rliables_improvement_and_scipys_tests(tmp_path):
    results = write_suite(tmp_path / "results", METHODS, tasks=["north"], seeds=5)
    table = csv(results, "comparisons")
    scores = csv(results, "scores").sort("seed")
    of = {method: scores.filter(method=method)["normalised"].to_numpy() for method in METHODS}
    assert table.select("method", "other").rows() == [("ppo", "rnd"), ("ppo", "snd"), ("rnd", "snd")]
    for row in table.rows(named=True):
        x, y = of[row["method"]], of[row["other"]]
        assert row["value"] == pytest.approx(metrics.probability_of_improvement(x[:, None], y[:, None]))
        assert row["p_rank_sum"] == pytest.approx(stats.mannwhitneyu(x, y, method="exact").pvalue)
        assert row["p_signed_rank"] == pytest.approx(stats.wilcoxon(x, y, method="exact").pvalue)
        assert row["difference"] == pytest.approx(x.mean() - y.mean())
        assert row["correlation"] == pytest.approx(stats.pearsonr(x, y).statistic)
        assert (row["pairs"], row["tasks"], row["runs"]) == (5, 1, 5)
        assert row["p_holm"] >= row["p_rank_sum"]
    said = text(results)
    assert "P(row > column)" in said
    assert "Ranks by mean score, averaged over the one task" in said
    assert "5 pairs, r = " in said


def test_ranks_are_over_tasks_that_all_methods_share(tmp_path):
    results = write_suite(tmp_path / "results", METHODS, seeds=4, spread=0.1)
    for seed in range(4):
        write_run(results, "east", "rnd", seed, 5.0)
    table = csv(results, "ranks")
    assert dict(table.select("method", "value").rows()) == {"ppo": 3.0, "rnd": 1.0, "snd": 2.0}
    assert table["tasks"].unique().to_list() == [2]


def test_steps_frames_and_time_to_a_score_with_runs_that_never_had_it(tmp_path):
    results = tmp_path / "results"
    atari = EnvironmentSpec(family="atari", config={"frame_skip": 4})
    curves = [
        {2000: [1.0], 5000: [6.0], 10_000: [8.0]},
        {2000: [5.0], 5000: [6.0], 10_000: [8.0]},
        {5000: [1.0], 10_000: [2.0]},
    ]
    for seed, curve in enumerate(curves):
        write_run(results, "north", "ppo", seed, curve=curve, environment=atari)
        write_run(results, "north", "rnd", seed, curve={5000: [1.0], 10_000: [2.0]}, environment=atari)
    table = csv(results, "thresholds")
    half = table.filter(method="ppo", threshold=0.5).row(0, named=True)
    assert (half["reached"], half["runs"]) == (2, 3)
    assert (half["steps"], half["frames"], half["seconds"]) == (5000, 20_000, 50.0)  # of 100 seconds for 10,000 steps
    assert table.filter(method="rnd", threshold=0.5)["steps"].to_list() == [None]
    areas = csv(results, "areas").filter(pl.col("task") == "north", method="ppo").row(0, named=True)
    by_hand = [(3.5 * 3 + 7 * 5) / 8, (5.5 * 3 + 7 * 5) / 8, 1.5]
    assert areas["value"] == pytest.approx(sum(by_hand) / 3)
    said = text(results)
    assert "5,000 20,000 frames, 50 s, 2 of 3 [0.09, 0.99]" in said
    assert "not by half of the runs 0 of 3 [0.00, 0.71]" in said


def test_a_running_run_is_censored_and_counts_for_no_area(tmp_path):
    results = tmp_path / "results"
    for seed in range(3):
        write_run(results, "north", "ppo", seed, 2.0, state="running", steps=range(1000, 5001, 1000))
    half = csv(results, "thresholds").filter(threshold=0.5).row(0, named=True)
    assert (half["reached"], half["runs"], half["low"], half["steps"]) == (0, 0, None, None)
    assert csv(results, "areas").is_empty()


def test_one_method_is_compared_with_nothing(tmp_path):
    results = write_suite(tmp_path / "results", {"ppo": 3.0}, seeds=3)
    assert csv(results, "comparisons").is_empty()
    assert csv(results, "ranks").is_empty()
    assert "Comparisons of all methods" not in text(results)
