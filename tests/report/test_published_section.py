"""Published numbers in a report: beside ours where both measure the same, in tables of their own, or not at all."""

from __future__ import annotations

import re

import polars as pl
import pytest
from report.synthetic import write_run, write_suite
from report.test_build_report import Page

from harness.errors import ResultsError
from harness.report.build import build_report
from harness.report.comparison import training_return
from harness.runs.files import csv_text
from harness.runs.folder import RunFolder
from harness.spec import EnvironmentSpec

COLUMNS = ("environment", "family", "settings", "method", "algorithm", "reward", "metric", "value", "spread", "spread_kind")
SPREAD = "sd over seeds"
HELD_OUT_METRICS = ("final_return", "held_out_return", "success_rate")
MORE = ("seeds", "frames", "steps", "source", "confidence", "remark")


def published(file, *rows):
    """A file of numbers on the lattice's task north: (reward, metric, value, method as published)."""
    ends = (2, SPREAD, 3, "", 5_000_000, "Table <7>", "paper", "its remark")
    lines = [
        ("North-v0", "lattice", "task=north", method, "ppo", reward, metric, value, *ends)
        for reward, metric, value, method in rows
    ]
    file.write_text(csv_text([COLUMNS + MORE, *lines]))
    return file


def progress(folder, rows):
    folder.progress_file.write_text(csv_text([("time/total_timesteps", "rollout/ep_rew_mean"), *rows]))


@pytest.fixture
def results(tmp_path):
    return write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, seeds=3)


@pytest.fixture
def report(tmp_path, results, no_figures):
    """Page, and published.csv with published_clipped.csv, of a report with these published numbers."""

    def make(*rows, root=results):
        file = published(tmp_path / "published.csv", *rows)
        page = Page(build_report([root], tmp_path / "out", formats=["html", "csv"], published=[file]))
        return page, *(pl.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("published", "published_clipped"))

    return make


def test_a_return_stands_beside_our_score(report, tmp_path):
    page, raw, clipped = report(("rnd", "final_return", 8152, "RND of the paper"))
    (row,) = raw.rows(named=True)
    ours = pl.read_csv(tmp_path / "out" / "tasks.csv").filter(task="north", method="rnd").row(0, named=True)
    assert (row["task"], row["method"], row["published"], row["published_seeds"]) == ("north", "rnd", 8152, 3)
    assert (row["value"], row["sd"], row["runs"], row["steps"]) == (ours["value"], ours["sd"], 3, 10_000)
    assert clipped.is_empty()
    assert "8,152 ± 2 n = 3, 5 M steps" in page.text
    assert f"{ours['value']:.3f} ± {ours['sd']:.3f} n = 3, 10,000 steps" in page.text
    assert "RND of the paper its remark" in page.text
    assert "Table <7>" in page.text
    assert "Return at the end of training (final_return)" in page.text


def test_population_deviations_are_shown_as_the_sample_deviations_that_ours_are(report, tmp_path, monkeypatch):
    kind = "population standard deviation over seeds"
    monkeypatch.setitem(globals(), "SPREAD", kind)
    page, raw, _ = report(("rnd", "final_return", 8152, "RND of the paper"))
    (row,) = raw.rows(named=True)
    assert (row["published_spread"], row["spread_kind"]) == (2, kind)
    assert row["published_sd"] == pytest.approx(2 * (3 / 2) ** 0.5)
    assert "8,152 ± 2 n = 3" in page.text  # 2.4
    assert "published ±: sample standard deviation over seeds, from the population one" in page.text
    assert "ours: mean ± sample standard deviation over seeds" in page.text


def test_scores_of_held_out_levels_stand_beside_such_numbers_alone(report, tmp_path):
    for method, metrics in {"ppo": {"success": 1.0, "held_out": 1.0}, "rnd": {"success": 1.0, "held_out": 0.0}}.items():
        for seed in range(3):
            write_run(tmp_path / "levels", "north", method, seed, 3.0 + seed, metrics=metrics)
    rows = [(reward, metric, 7, f"{reward} published") for reward in ("none", "rnd") for metric in HELD_OUT_METRICS]
    page, raw, _ = report(*rows, root=tmp_path / "levels")
    found = {(method, metric): value for method, metric, value in raw.select("method", "metric", "value").rows()}
    assert found["ppo", "final_return"] is found["ppo", "success_rate"] is None
    assert found["ppo", "held_out_return"] == pytest.approx(4.0)
    assert found["rnd", "final_return"] == pytest.approx(4.0)
    assert found["rnd", "held_out_return"] is None
    assert "– ours is of held-out levels" in page.text
    assert "– ours is of training's levels" in page.text


def test_clipped_reward_has_its_own_table_and_nothing_of_ours(report):
    page, raw, clipped = report(
        ("rnd", "final_return", 8152, "A"), ("rnd", "clipped_training_reward", 5.33, "B"), ("rnd", "max_return", 9000, "C")
    )
    assert raw["published_method"].to_list() == ["A", "C"]
    (row,) = clipped.rows(named=True)
    assert (row["published_method"], row["method"], row["value"], row["runs"]) == ("B", "rnd", None, None)
    text = page.text.partition("Mean clipped training reward over all of training.")[2].partition("Where these numbers")[0]
    assert "Nothing of ours stands beside it" in text
    assert "5.330 ± 2.000" in text
    assert "Ours" not in text.partition("Task Method")[2]
    assert page.text.count("Task Method Ours Published") == 1  # of A alone


def test_training_return_is_computed_from_the_log(report, results):
    for seed, folder in enumerate(sorted((results / "synthetic/north").glob("rnd-*/seed-*"))):
        rows = [(1000, ""), (2000, 1.0), (10_000, 2.0 + seed)]
        progress(RunFolder(folder), rows)
        assert training_return(str(folder)) == pytest.approx((1000 * 1 + 8000 * (2 + seed)) / 9000)
    _, raw, _ = report(("rnd", "training_return", 9.4, "RND"), ("none", "training_return", 0, "PPO"))
    ours = {method: (value, runs) for method, value, runs in raw.select("method", "value", "runs").rows()}
    assert ours["rnd"] == (pytest.approx((1000 + 8000 * 3) / 9000), 3)
    assert ours["ppo"] == (None, None)  # no log


@pytest.mark.parametrize("rows", [[], [("x", "y")], [(1000, "")]])
def test_a_log_without_returns_gives_none(tmp_path, rows):
    progress(RunFolder(tmp_path), rows)
    assert training_return(str(tmp_path)) is None


def test_success_stands_beside_the_measurement(report):
    _, raw, _ = report(("rnd", "success_rate", 0.5, "RND"))
    assert raw.select("value", "runs").row(0) == (1.0, 3)


def test_methods_that_did_not_run_are_listed_apart(report):
    page, raw, _ = report(
        ("icm", "final_return", 3, "ICM"), ("", "final_return", 4, "human"), ("none", "final_return", 5, "PPO")
    )
    rows = {row["published_method"]: row for row in raw.rows(named=True)}
    assert rows["ICM"]["method"] is rows["human"]["method"] is None
    assert rows["ICM"]["value"] is None
    assert rows["PPO"]["method"] == "ppo"
    assert "2 further published numbers, of methods that did not run here" in page.text


def test_every_configuration_of_a_method_gets_its_row(report, results):
    write_run(results, "north", "rnd", 0, combine={"intrinsic_weight": 3.0})
    _, raw, _ = report(("rnd", "final_return", 8152, "RND"))
    assert len(raw) == 2
    assert set(raw["method"]) == {"rnd · intrinsic_weight 1.0", "rnd · intrinsic_weight 3.0"}


def test_a_method_on_another_environment_of_the_same_task_name_does_not_count(report, results):
    other = EnvironmentSpec(family="lattice", config={"task": "elsewhere"})
    write_run(results, "north", "icm", 0, environment=other)
    _, raw, _ = report(("rnd", "final_return", 8152, "RND"), ("icm", "final_return", 1, "ICM"))
    assert dict(raw.select("published_method", "method").rows()) == {"RND": "rnd", "ICM": None}


def test_tasks_of_which_nothing_is_published_say_so_in_one_line(report, tmp_path):
    other = EnvironmentSpec(family="elsewhere", config={"task": "north"})
    root = write_suite(tmp_path / "other", {"rnd": 1.0}, seeds=1, environment=other)
    page, raw, clipped = report(("rnd", "final_return", 8152, "RND"), root=root)
    assert "None of the 1 published number is of a task of this suite." in page.text
    assert raw.is_empty()
    assert clipped.is_empty()
    assert "8,152" not in page.text


@pytest.mark.usefixtures("no_figures")
def test_without_the_option_a_report_knows_nothing_of_it(tmp_path, results):
    build_report([results], tmp_path / "out", formats=["csv", "md"])
    assert "ublished" not in (tmp_path / "out" / "report.md").read_text()
    assert not list((tmp_path / "out").glob("published*"))


def test_a_wrong_file_is_refused_before_anything_is_written(tmp_path, results):
    file = published(tmp_path / "published.csv", ("rnd", "final_retrun", 1, "RND"))
    with pytest.raises(ResultsError, match=r"published\.csv:2: metric: unknown metric 'final_retrun'"):
        build_report([results], tmp_path / "never", published=[file])
    assert not (tmp_path / "never").exists()


# --- several suites, and LaTeX ----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("no_figures")
def test_several_suites_have_contents_that_lead_to_them(tmp_path, results):
    write_suite(tmp_path / "elsewhere", {"ppo": 1.0}, seeds=1, suite="another_1.5")
    for roots in ([results, tmp_path / "elsewhere"], [tmp_path]):
        page = Page(build_report(roots, tmp_path / "out", formats=["html", "md"]))
        markdown = (tmp_path / "out" / "report.md").read_text()
        titles = ["Suite another_1.5", "Suite synthetic", "How to read the numbers"]
        assert [page.text.count(title) for title in titles[:1]] == [3]  # in the lead, the contents and at its section
        assert re.findall(r"^## (.*)$", markdown, re.MULTILINE) == [title.replace("_", r"\_") for title in titles]
        anchors = ["suite-another_15", "suite-synthetic", "how-to-read-the-numbers"]
        assert re.findall(r"^- \[.*\]\(#(.*)\)$", markdown, re.MULTILINE) == anchors
        links = [reference for reference in page.references if reference.startswith("#")]
        sections = {name for name in page.ids if re.match(r"s\d+-", name)}
        assert len(sections) > 20
        assert {"#sections", *(f"#{name}" for name in sections)} == set(links)
        assert len(links) == len(set(links))


def test_latex_tables_are_whole_and_escaped(tmp_path):
    evil = r"100%_$x & {y} \end{table} # ~^"
    results = write_suite(tmp_path / "results", {"ppo": 1.0, evil: 2.0}, tasks=["north"], seeds=3)
    file = published(tmp_path / "published.csv", ("none", "final_return", 8152, "PPO & co"))
    assert build_report([results], tmp_path / "out", formats=["latex-all"], published=[file]).name == "all-tables.tex"
    text = (tmp_path / "out" / "all-tables.tex").read_text()
    assert text.count("\\begin{table}\n") == text.count("\\end{table}\n") == text.count("\\begin{tabular}") >= 6
    assert r"100\%\_\$x \& \{y\} \textbackslash{}end\{table\} \# \textasciitilde{}\textasciicircum{}" in text
    assert r"{8,152 $\pm$ 2 n = 3, 5 M steps} & {PPO \& co its remark} & {S1} \\" in text
    assert text.isascii()
    for kinds, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL):
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert rows
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(kinds)}
        assert all(len(re.findall(r"(?<!\\)\{", row)) == len(re.findall(r"(?<!\\)\}", row)) for row in rows)
