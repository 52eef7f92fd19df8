"""The report as its readers get it: complete, honest about what is missing, reproducible, and harmless."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from report.pages import without_own_script
from report.synthetic import PROVENANCE, write_run, write_suite
from rliable import metrics

from harness.errors import ResultsError, UnknownNameError
from harness.report.build import build_report
from harness.spec import AlgorithmSpec, EnvironmentSpec, EvaluationSpec

METHODS = {"ppo": 3.0, "rnd": 6.0, "snd": 5.5}
VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}
WITHIN_A_WORD = "\u2060"


class Page(HTMLParser):
    """What a browser would make of a page: its tags, ids, references and visible text."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.tags, self.ids, self.references, self.words = set(), [], [], []
        self._open: list[str] = []
        self.feed(without_own_script(file))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.references += [value for name, value in attrs if name in ("href", "src", "xlink:href")]
        assert not any(name.startswith("on") for name in values)
        if tag == "wbr":
            self.words.append(WITHIN_A_WORD)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words).replace(f" {WITHIN_A_WORD} ", ""))


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture
def text_of(tmp_path, request):
    """The visible text of a report; figures, which take most of the time, are left out from its first use on."""

    def text(results: Path, **options) -> str:
        request.getfixturevalue("no_figures")
        return Page(build_report([results], tmp_path / "page", formats=["html"], **options)).text

    return text


# --- numbers ---------------------------------------------------------------------------------------------------------
def test_tables_hold_what_rliable_says_of_the_scores(tmp_path):
    write_suite(tmp_path / "results", METHODS, tasks=("east", "north", "south"), seeds=4)
    assert build_report([tmp_path / "results"], tmp_path / "out", formats=["csv"]) == tmp_path / "out" / "scores.csv"
    scores = pl.read_csv(tmp_path / "out" / "scores.csv")
    matrices = {
        method: scores.filter(method=method).pivot("task", index="seed", values="normalised").drop("seed").to_numpy()
        for method in METHODS
    }
    aggregates = pl.read_csv(tmp_path / "out" / "aggregates.csv")
    for method, matrix in matrices.items():
        value = aggregates.filter(method=method, metric="iqm").row(0, named=True)
        assert value["value"] == pytest.approx(metrics.aggregate_iqm(matrix), abs=1e-10)
        assert value["low"] < value["value"] < value["high"]
    improvement = pl.read_csv(tmp_path / "out" / "improvement.csv").filter(pl.col("task").is_null(), method="rnd")
    expected = metrics.probability_of_improvement(matrices["rnd"], matrices["ppo"])
    assert improvement["value"].item() == pytest.approx(expected, abs=1e-10)
    curves = pl.read_csv(tmp_path / "out" / "curves.csv").filter(pl.col("task").is_null(), method="snd")
    assert curves["step"].to_list() == list(range(1000, 10_001, 1000))
    assert curves["value"].to_list()[-1] == pytest.approx(metrics.aggregate_iqm(matrices["snd"]), abs=1e-10)


def test_a_failed_run_narrows_the_denominator_and_is_never_zero(tmp_path, text_of):
    results = write_suite(tmp_path / "results", METHODS, seeds=4)
    write_run(results, "south", "rnd", 3, state="failed", error="CUDA out of memory", steps=range(1000, 4001, 1000))
    shutil.rmtree(next(results.glob("synthetic/north/snd-*/seed-2")))
    build_report([results], tmp_path / "out", formats=["csv"])
    tasks = pl.read_csv(tmp_path / "out" / "tasks.csv")
    rows = {(task, method): counts for task, method, *counts in tasks.select("task", "method", "scores", "planned").rows()}
    assert rows["south", "rnd"] == [3, 4]
    assert rows["north", "snd"] == [3, 4]
    assert rows["north", "ppo"] == [4, 4]
    scores = pl.read_csv(tmp_path / "out" / "scores.csv").filter(task="south", method="rnd")["score"]
    assert tasks.filter(task="south", method="rnd")["value"].item() == pytest.approx(scores.mean())
    text = text_of(results)
    assert "CUDA out of memory" in text
    assert "7/8" in text
    assert "1 failed and 1 missing" in text
    states = pl.read_csv(tmp_path / "out" / "runs.csv")["state"].value_counts().rows()
    assert dict(states) == {"finished": 22, "failed": 1, "missing": 1}


def test_running_runs_show_curves_and_no_scores(tmp_path, text_of):
    results = write_suite(tmp_path / "results", METHODS, seeds=3, state="running", steps=range(1000, 5001, 1000))
    build_report([results], tmp_path / "out", formats=["csv"])
    assert pl.read_csv(tmp_path / "out" / "scores.csv").is_empty()
    assert pl.read_csv(tmp_path / "out" / "aggregates.csv").is_empty()
    assert pl.read_csv(tmp_path / "out" / "curves.csv")["step"].max() == 5000
    assert "nothing to aggregate" in text_of(results)


def test_tasks_without_constants_are_raw_and_named(tmp_path, text_of):
    results = write_suite(tmp_path / "results", METHODS, seeds=3)
    write_suite(results, {"ppo": 100, "rnd": 900, "snd": 50}, tasks=["free"], seeds=3, normalise=None)
    assert "No usable normalisation constants for free" in text_of(results)
    build_report([results], tmp_path / "out", formats=["csv"])
    aggregates = pl.read_csv(tmp_path / "out" / "aggregates.csv")
    assert aggregates["of_tasks"].unique().to_list() == [2]
    assert aggregates["value"].max() < 2
    assert "free" in pl.read_csv(tmp_path / "out" / "improvement.csv")["task"].to_list()


def test_methods_that_miss_a_task_are_marked(tmp_path, text_of):
    results = write_suite(tmp_path / "results", METHODS, seeds=3)
    for folder in results.glob("synthetic/north/snd-*/seed-*"):
        shutil.rmtree(folder)
    text = text_of(results)
    assert "Marked †: aggregates of snd (1 of 2) cover fewer tasks" in text
    assert "1/2 †" in text
    assert "snd †" in text  # in the legend
    assert "rnd †" not in text


@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_get_no_interval_and_a_warning(tmp_path, text_of, seeds):
    results = write_suite(tmp_path / "results", METHODS, seeds=seeds)
    text = text_of(results)
    assert "Fewer than 3 seeds" in text
    assert "no interval" in text
    assert "too few seeds to judge" in text
    build_report([results], tmp_path / "out", formats=["csv"])
    for table in ("aggregates", "profiles", "improvement", "curves", "tasks"):
        assert pl.read_csv(tmp_path / "out" / f"{table}.csv").select(pl.col("low", "high").count()).row(0) == (0, 0)


# --- honesty ---------------------------------------------------------------------------------------------------------
def test_what_is_not_like_for_like_is_said(tmp_path, text_of):
    results = write_suite(tmp_path / "results", METHODS, seeds=3, steps=range(1000, 10_001, 1000))
    sticky = EnvironmentSpec(family="lattice", config={"sticky": 0.25})
    write_run(results, "south", "rnd", 2, environment=sticky, updated="2026-11-21T13:00:00+00:00")
    write_run(results, "south", "ppo", 2, steps=range(1100, 10_001, 1000))
    write_run(results, "north", "snd", 0, curve={4000: [1.0]})
    text = text_of(results)
    assert "Runs of south differ in their environment's settings: task south" in text
    assert "as before it could be set (rnd)" in text
    assert "Superseded:" in text
    assert "interpolated linearly" in text
    assert "north/snd/seed-0 (1 of 2 episodes at step 4,000 of 10,000)" in text


def test_tasks_with_budgets_of_their_own_split_no_method(tmp_path, text_of):
    """Two methods on two tasks with two seeds: eight runs, none of them missing."""
    for task, steps in (("north", 10_000), ("south", 20_000)):
        for method, seed in product(("ppo", "rnd"), range(2)):
            write_run(tmp_path / "results", task, method, seed, 3.0, steps=[steps // 2, steps], budget=steps)
    text = text_of(tmp_path / "results")
    assert "2 methods on 2 tasks; 8 of 8 runs finished." in text
    assert "10,000 to 20,000" in text
    assert "missing" not in text.partition("How the runs stand")[0]
    assert "Methods were trained for different numbers of steps" not in text
    write_run(tmp_path / "results", "south", "rnd", 2, 3.0, steps=[30_000], budget=30_000)
    assert "different numbers of steps on south: " in text_of(tmp_path / "results")


def test_different_evaluation_protocols_are_named(tmp_path, text_of):
    write_suite(tmp_path / "results", {"ppo": 3.0}, seeds=3)
    evaluation = EvaluationSpec(every=1000, episodes=2, deterministic=True)
    write_suite(tmp_path / "results", {"rnd": 6.0}, seeds=3, evaluation=evaluation)
    text = text_of(tmp_path / "results")
    assert "Methods were evaluated differently: deterministic false (ppo), true (rnd)." in text
    write_suite(tmp_path / "same", METHODS, seeds=1)
    assert "evaluated differently" not in text_of(tmp_path / "same")


def test_what_each_method_has_of_its_own_is_named(tmp_path, text_of):
    for method, size, gamma in (("ppo", 84, 0.999), ("rnd", 84, 0.999), ("snd", 96, 0.998)):
        for task in ("north", "south"):
            environment = EnvironmentSpec(family="lattice", config={"task": task, "size": size})
            algorithm = AlgorithmSpec(name="ppo", config={"n_envs": 8, "gamma": gamma})
            write_run(tmp_path / "results", task, method, 0, environment=environment, algorithm=algorithm)
    text = text_of(tmp_path / "results")
    assert "Runs of north and south differ in their environment's settings: size 84 (ppo and rnd), 96 (snd)." in text
    assert "Methods differ in their algorithm's settings: gamma 0.999 (ppo and rnd), 0.998 (snd)." in text


def test_the_sum_of_rewards_is_named_as_the_simplification_it_is(tmp_path, text_of):
    write_run(tmp_path / "results", "north", "rnd", 0, combine={"mode": "sum", "intrinsic_weight": 0.5})
    write_run(tmp_path / "results", "north", "snd", 0)
    text = text_of(tmp_path / "results")
    assert "sum of rewards (extrinsic × 1, bonus × 0.5): a simplification" in text
    assert "two value heads" in text


def test_provenance_lists_every_distinct_value_and_the_command(tmp_path, text_of):
    write_run(tmp_path / "results", "north", "rnd", 0)
    other = PROVENANCE | {"packages": {"torch": "2.14.0", "numpy": "2.4.6"}, "commit": None}
    write_run(tmp_path / "results", "north", "rnd", 1, provenance=other)
    text = text_of(tmp_path / "results")
    assert "2.13.0 (1 run) and 2.14.0 (1 run)" in text
    assert "0123456789ab (1 run) and not recorded (1 run)" in text
    assert "harness run suites/synthetic.yaml" in text


def test_unreadable_folders_are_listed(tmp_path, text_of):
    results = write_suite(tmp_path / "results", {"rnd": 1.0}, seeds=1)
    broken = write_run(results, "north", "rnd", 1).record_file
    broken.write_text('{"format": 1, "sp')
    assert str(broken) in text_of(results)


# --- baseline --------------------------------------------------------------------------------------------------------
def test_the_default_baseline_is_the_method_without_a_bonus(tmp_path, text_of):
    results = write_suite(tmp_path / "results", {"icm": 1.0, "rnd": 2.0, "ppo": 1.0}, seeds=3)
    assert "The baseline is ppo." in text_of(results)


def test_without_one_it_is_the_first_method_and_alone_there_is_none(tmp_path, text_of):
    results = write_suite(tmp_path / "several", {"rnd": 1.0, "icm": 2.0}, seeds=3)
    assert "The baseline is icm." in text_of(results)
    results = write_suite(tmp_path / "one", {"rnd": 1.0}, seeds=3)
    text = text_of(results)
    assert "The baseline is" not in text
    assert "no baseline to compare with" in text


def test_a_wanted_baseline(tmp_path, text_of):
    results = write_suite(tmp_path / "results", METHODS, seeds=3)
    assert "The baseline is rnd." in text_of(results, baseline="rnd")
    with pytest.raises(UnknownNameError, match="unknown baseline 'rdn': did you mean 'rnd'"):
        build_report([results], tmp_path / "never", baseline="rdn")
    assert not (tmp_path / "never").exists()


# --- form ------------------------------------------------------------------------------------------------------------
def test_the_same_runs_give_the_same_bytes(tmp_path):
    results = write_suite(tmp_path / "results", METHODS, tasks=["north"], seeds=3)
    write_run(results, "south", "rnd", 0, suite="another")
    formats = ("html", "md", "latex", "csv", "figures")
    build_report([results], tmp_path / "first", formats=formats)
    roots = f"[Path({str(results)!r}) / suite for suite in ('synthetic', 'another')]"
    command = (
        "from pathlib import Path; from harness.report.build import build_report;"
        f" build_report({roots}, Path('second'), formats={formats})"
    )
    subprocess.run([sys.executable, "-c", command], check=True, env={"PYTHONHASHSEED": "7"}, cwd=tmp_path)
    first = content(tmp_path / "first")
    assert set(first) >= {"index.html", "report.md", "runs.csv", "figures/synthetic-curves.png", "figures/another-curves.svg"}
    assert first["figures/synthetic-curves.png"].startswith(b"\x89PNG")
    assert first == content(tmp_path / "second")


def test_other_methods_leave_a_methods_digits_alone(tmp_path):
    results = write_suite(tmp_path / "results", {"ppo": 1.0}, seeds=4)
    build_report([results], tmp_path / "alone", formats=["csv"])
    write_suite(results, {"rnd": 2.0}, seeds=4)
    build_report([results], tmp_path / "together", formats=["csv"])
    for table in ("aggregates", "curves"):
        alone, together = (
            pl.read_csv(tmp_path / name / f"{table}.csv").filter(method="ppo") for name in ("alone", "together")
        )
        assert alone.equals(together)


def test_names_and_messages_cannot_break_the_page(tmp_path):
    evil, dollars = "<img src=x onerror=alert(1)>", "_$\\frac$ & `co|de`"
    results = write_suite(tmp_path / "results", {"ppo": 1.0, dollars: 2.0, evil: 3.0}, tasks=[evil, dollars], seeds=3)
    error = "<script>alert(1)</script> | a\nb"
    write_run(results, evil, evil, 3, state="failed", error=error, metrics={"<b>": 1.0})
    build_report([results], tmp_path / "out", title="</title><script>")
    page = Page(tmp_path / "out" / "index.html")
    assert not page.tags & {"script", "img", "b", "iframe"}
    assert evil in page.text
    assert dollars in page.text
    for svg in (tmp_path / "out" / "figures").glob("*.svg"):
        ElementTree.parse(svg)
    assert "$\\frac$" in (tmp_path / "out" / "figures" / "synthetic-curves.svg").read_text()  # no mathematics
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert not re.search(r"(?<!\\)<(script|img)", markdown)
    for table in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_the_page_needs_nothing_but_itself(tmp_path):
    results = write_suite(tmp_path / "results", METHODS, seeds=3)
    page = Page(build_report([results], tmp_path / "out", formats=["html"]))
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.tags
    for reference in page.references:
        assert reference == "data:," or (reference.startswith("#") and reference[1:] in page.ids)
    style = without_own_script(tmp_path / "out" / "index.html")
    assert "@import" not in style
    urls = re.findall(r"url\(([^)]*)\)", style)
    assert all(url.startswith("#") and url[1:] in page.ids for url in urls)


def test_markdown_refers_to_figures_that_exist(tmp_path):
    results = write_suite(tmp_path / "results", METHODS, seeds=3)
    assert build_report([results], tmp_path / "out", formats=["md"]) == tmp_path / "out" / "report.md"
    files = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", (tmp_path / "out" / "report.md").read_text())
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "out" / file).exists()
    assert not list((tmp_path / "out").glob("*.csv"))


def test_steps_are_explained_in_frames_where_there_are_frames(tmp_path, text_of):
    atari = EnvironmentSpec(family="atari", config={"frame_skip": 4})
    results = write_suite(tmp_path / "frames", METHODS, seeds=1, environment=atari)
    page = Page(build_report([results], tmp_path / "out", formats=["html"]))
    assert "one step is 4 frames" in page.text
    assert "steps of 4 frames" in page.text  # on the axes
    results = write_suite(tmp_path / "none", METHODS, seeds=1)
    assert "frames" not in text_of(results)


def test_every_suite_has_its_section(tmp_path, text_of):
    results = write_suite(tmp_path / "results", METHODS, seeds=1)
    write_suite(results, {"rnd": 1.0, "icm": 2.0}, seeds=1, suite="another")
    text = text_of(results, baseline="ppo")
    assert "Suite another" in text
    assert "Suite synthetic" in text
    assert "no baseline to compare with" in text  # the other suite has no ppo


def test_unknown_formats_and_unwritable_places_are_said_in_one_line(tmp_path):
    results = write_suite(tmp_path / "results", {"rnd": 1.0}, seeds=1)
    with pytest.raises(UnknownNameError, match="unknown format 'htm': did you mean 'html'"):
        build_report([results], tmp_path / "out", formats=["htm"])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError, match=r"file.*cannot be written"):
        build_report([results], tmp_path / "file", formats=["csv"])


def test_nothing_heavy_is_imported_for_a_report():
    command = "import sys, harness.report.build; assert not {'torch', 'stable_baselines3', 'optuna'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_profile_thresholds_reach_the_highest_score(tmp_path):
    results = write_suite(tmp_path / "results", {"rnd": 25.0}, seeds=3)  # normalised scores of 2.5
    build_report([results], tmp_path / "out", formats=["csv"])
    profile = pl.read_csv(tmp_path / "out" / "profiles.csv")
    assert profile["value"].to_list()[0] == 1
    assert profile["value"].to_list()[-1] == 0
    assert np.all(np.diff(profile["value"]) <= 0)


def test_fault_i_a_report_tells_what_changed_within_a_run(tmp_path, text_of):
    write_suite(tmp_path / "results", METHODS, seeds=3)
    folder = write_run(tmp_path / "results", "north", "rnd", 0, 6.0)
    before = {**PROVENANCE, "plugins": {"rnd": "rnd 0.1"}}
    record = folder.read().model_copy(update={"provenance": before})
    folder.write(record.with_attempt(2000, {**before, "plugins": {"rnd": "rnd 0.2"}, "device": "H100"}))
    text = text_of(tmp_path / "results")
    assert "changed while they were interrupted: north/rnd/seed-0" in text
    assert "(plugin rnd rnd 0.1, then rnd 0.2 from step 2,000; device cpu, then H100 from step 2,000)" in text


def test_fault_j_a_report_tells_of_evaluation_episodes_that_were_cut(tmp_path, text_of):
    write_suite(tmp_path / "results", METHODS, seeds=3)
    for seed in range(3):
        write_run(tmp_path / "results", "north", "snd", seed, 5.0, metrics={"cut": 0.5})
    assert "ended by evaluation.max_steps and not by the environment: snd on north (50%)" in text_of(tmp_path / "results")
