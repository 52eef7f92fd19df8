"""What the report says of its own intervals: measured, quoted from one table, and never more than few seeds can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from report.synthetic import write_run, write_suite

from harness.analysis import coverage, statistics
from harness.errors import UnknownNameError
from harness.report.build import build_report


def csv(results: Path, name: str, **options) -> pl.DataFrame:
    build_report([results], results.parent / "csv", formats=["csv"], **options)
    return pl.read_csv(results.parent / "csv" / f"{name}.csv")


def text(results: Path, **options) -> str:
    """The report in Markdown, its escapes taken out, without drawing."""
    from harness.registry import installed
    from harness.report.assembly import assemble
    from harness.report.inputs import ReportInputs
    from harness.report.rendering import markdown_page

    inputs = ReportInputs([results], (), None, installed(), **options)
    return " ".join(markdown_page(assemble(inputs.analyse(), installed(), "A title")).replace("\\", "").split())


def write_scores(results: Path, scores: dict[str, list[float]], task: str = "north") -> Path:
    for method, values in scores.items():
        for seed, value in enumerate(values):
            write_run(results, task, method, seed, value, curve={10_000: [value]}, metrics={})
    return results


# --- verdicts --------------------------------------------------------------------------------------------------------
def test_three_seeds_that_separate_completely_on_one_task_decide_nothing(tmp_path):
    results = write_scores(tmp_path / "results", {"ppo": [1, 2, 3], "rnd": [7, 8, 9]})
    said = text(results)
    assert "with probability 1.00 [1.00, 1.00]: these runs do not decide (p = 0.10)" in said
    assert "more often than not" not in said


def test_a_verdict_comes_with_its_p_value(tmp_path):
    results = write_scores(tmp_path / "results", {"ppo": [1, 2, 3, 2.5], "rnd": [7, 8, 9, 6], "snd": [0.1, 0.2, 0.3, 0.4]})
    said = text(results)
    assert "A run of rnd scores more than a run of ppo with probability 1.00 [1.00, 1.00]: better more often than not" in said
    assert "worse more often than not (p = 0.029)" in said
    table = csv(results, "improvement").filter(pl.col("task").is_null())
    assert table["p_value"].to_list() == pytest.approx([2 / 70, 2 / 70])


# --- sentences quote the table ---------------------------------------------------------------------------------------
def test_sentences_quote_the_committed_table(tmp_path, monkeypatch):
    results = write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, seeds=4)
    said = text(results)
    assert "the difference is larger than seeds alone explain" not in said
    for figure, scores, tasks, kind in (
        ("mean", "normal", 1, "expanded"),
        ("mean", "lognormal", 1, "expanded"),
        ("iqms apart", "normal", 1, "expanded"),
        ("verdict", "normal", 3, "test"),
        ("whole curve", "normal", 3, "expanded"),
        ("whole profile", "normal", 3, "expanded"),
    ):
        assert coverage.describe(figure, scores, tasks, kind) in said
    other = tmp_path / "coverage.csv"
    pl.read_csv(coverage.COVERAGE_FILE).with_columns(rate=pl.lit(0.123)).write_csv(other)
    monkeypatch.setattr(coverage, "COVERAGE_FILE", other)
    coverage.read_table.cache_clear()
    try:
        assert "12 % with 3 seeds, 12 % with 5 and 12 % with 10" in text(results)
    finally:
        coverage.read_table.cache_clear()


# --- successes -------------------------------------------------------------------------------------------------------
def test_successes_are_counted_with_an_interval_that_holds(tmp_path):
    results = tmp_path / "results"
    for method, successes in {"ppo": [0, 0, 0], "rnd": [1, 0, 1], "snd": [1.0, 0.5, 1.0]}.items():
        for seed, success in enumerate(successes):
            write_run(results, "north", method, seed, 3.0 + seed, metrics={"success": success})
    table = csv(results, "measurements")
    facts = {row["method"]: row for row in table.rows(named=True)}
    assert [facts[method]["successes"] for method in ("ppo", "rnd", "snd")] == [0, 2, None]
    assert facts["ppo"]["high"] == pytest.approx(0.7076, abs=1e-4)
    assert facts["snd"]["mean"] == pytest.approx(2.5 / 3)
    said = text(results)
    assert "2 of 3 [0.09, 0.99]" in said
    assert "Every normalised score is 0 or 1" not in said


def test_scores_of_0_and_1_are_better_described_by_their_rate(tmp_path):
    results = write_scores(tmp_path / "results", {"ppo": [0, 0, 10, 0], "rnd": [10, 10, 10, 0]})
    said = text(results)
    assert "Prefer the mean, which is the success rate" in said
    assert "Success rate: ppo 0.250 [0.006, 0.806] and rnd 0.750 [0.194, 0.994]." in said
    rnd = csv(results, "aggregates").filter(method="rnd")
    assert rnd.filter(metric="iqm")["value"].item() == 1.0  # of a rate of 0.75
    mean = rnd.filter(metric="mean").row(0, named=True)
    assert (mean["low"], mean["high"]) == pytest.approx((0.1941, 0.9937), abs=1e-4)
    raw = csv(results, "tasks").filter(method="rnd").row(0, named=True)
    assert (raw["low"], raw["high"]) == pytest.approx((1.941, 9.937), abs=1e-3)


# --- rliable's own ---------------------------------------------------------------------------------------------------
def test_rliables_percentiles_stay_available_and_are_named(tmp_path):
    results = write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, seeds=4)
    table = csv(results, "aggregates", intervals="rliable").filter(method="rnd", metric="iqm").row(0, named=True)
    scores = csv(results, "scores").filter(method="rnd")
    cells = [scores.filter(task=task).sort("seed")["normalised"].to_numpy() for task in ("north", "south")]
    random = statistics.named_generator("synthetic", "aggregates", "rnd")
    plain = statistics.aggregates(cells, random, intervals="rliable")["iqm"]
    assert (table["value"], table["low"], table["high"]) == pytest.approx(plain, abs=1e-10)
    wide = csv(results, "aggregates").filter(method="rnd", metric="iqm").row(0, named=True)
    assert wide["low"] < table["low"] < table["high"] < wide["high"]
    said = text(results, intervals="rliable")
    assert "Intervals are those of rliable" in said
    assert coverage.describe("mean", "normal", 1, "rliable") in said
    assert "The bands hold at each point by itself" in said


def test_an_unknown_kind_of_intervals_is_refused(tmp_path):
    results = write_suite(tmp_path / "results", {"ppo": 3.0}, seeds=1)
    with pytest.raises(UnknownNameError, match="unknown kind of intervals 'rliabel': did you mean 'rliable'"):
        build_report([results], tmp_path / "out", intervals="rliabel")
    assert not (tmp_path / "out").exists()


def test_bands_of_whole_profiles_are_wider_than_rliables(tmp_path):
    results = write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, seeds=4)
    widths = [
        csv(results, "profiles", intervals=kind).select(pl.col("high") - pl.col("low")).to_series().mean()
        for kind in ("rliable", "expanded")
    ]
    assert widths[0] < widths[1] < 1
    assert np.isfinite(widths).all()
