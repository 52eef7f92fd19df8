"""Faults b and s: the table of run, status and report are one reading: the same runs, labels, constants and scores."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.leftovers import RESULTS, SUITE, leave, leave_all

from harness.planning.load import load
from harness.runs.folder import RunFolder
from harness.runs.lock import Claim
from harness.runs.plans import record_plan
from harness.runs.tables import read_runs

Command = Callable[..., tuple[int, str, str]]
Cells = dict[tuple[str, str], tuple[str, str]]


def cells(output: str) -> Cells:
    """Score and normalised score by task and label, as a table of a command prints them."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ["task", "method"])
    rows = [line.split("  ") for line in lines[start + 1 :]]
    parts = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    table = [row for row in parts if row and row[0] in ("n4", "n5")]
    return {(row[0], row[1]): (row[-2], row[-1]) for row in table}


def report_cells(harness: Command, out: str = "out") -> Cells:
    """The same from the report's tables."""
    assert harness("report", "results", "--format", "csv", "--out", out)[0] == 0
    with (Path(out) / "tasks.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {(row["task"], row["method"]): (f"{float(row['value']):.3f}", f"{float(row['normalised']):.3f}") for row in rows}


def test_fault_b_constants_of_the_suite_reach_every_view_and_are_said(harness: Command, workplace: Path) -> None:
    leave_all()
    before = report_cells(harness)
    changed = SUITE.replace("{size: 4}, normalise: {low: 0, high: 1}", "{size: 4}, normalise: {low: -1, high: 3}")
    (workplace / "small.yaml").write_text(changed)
    code, output, _ = harness("status", "results", "--suite", "small.yaml")
    assert code == 0
    assert cells(output) == before  # nothing has changed yet, and that is said
    assert "note: the suite now says low -1, high 3 for task n4, other constants than 4 runs of it" in output
    code, output, errors = harness("run", "small.yaml", "--no-report")
    assert (code, errors) == (0, "")
    assert "note: constants of task n4 are now low -1, high 3: 4 earlier runs brought up to date" in output
    ended, status = cells(output), cells(harness("status", "results")[1])
    assert ended == status == report_cells(harness, "again")
    assert ended != before
    assert ended["n4", "ppo"] == ("0.300", "0.325")
    assert "brought up to date" not in harness("run", "small.yaml", "--no-report")[1]


@pytest.mark.parametrize("held", [False, True], ids=["older run", "run in use"])
def test_fault_b_conflicting_constants_are_noticed_in_all_three_views(harness: Command, workplace: Path, held: bool) -> None:
    plan = load("small.yaml").runs
    leave_all()
    folder = RunFolder.of(plan[0], RESULTS)
    record = folder.read()
    spec = record.spec.model_copy(update={"normalise": record.spec.normalise.model_copy(update={"high": 2.0})})
    folder.write(record.model_copy(update={"spec": spec}))
    claim = Claim(folder.path / "claim")
    if held:
        claim.acquire()
    notice = (
        "runs of task n4 carry different normalisation constants; those of the newest run are used for all (low 0, high 1)"
    )
    if not held:
        assert f"note: {notice}" in harness("status", "results")[1]
        assert notice in json.loads(harness("status", "results", "--json")[1])["notices"]
        harness("report", "results", "--format", "md", "--out", "out")
        assert "carry different normalisation constants" in Path("out/report.md").read_text()
    output = harness("run", "small.yaml", "--no-report")[1]
    assert ("could not be brought up to date" in output) == held
    assert (f"note: {notice}" in output) == held
    assert cells(output) == cells(harness("status", "results")[1]) == report_cells(harness)
    if held:
        claim.release()


def test_fault_b_equal_constants_give_no_normalised_score_and_no_traceback(harness: Command, workplace: Path) -> None:
    (workplace / "small.yaml").write_text(SUITE)
    for spec in load("small.yaml").runs:
        leave(spec.model_copy(update={"normalise": spec.normalise.model_copy(update={"low": 1.0})}))
    code, output, errors = harness("status", "results")
    assert (code, errors) == (0, "")
    assert "normalised" not in output.splitlines()[0]


def test_fault_s_other_environment_settings_are_one_method_in_all_views(harness: Command, workplace: Path) -> None:
    leave_all(updated="2026-11-01T00:00:00+00:00")
    (workplace / "small.yaml").write_text(SUITE.replace("{size: 4}", "{size: 4, deterministic: false}"))
    for i, spec in enumerate(load("small.yaml").runs):
        if spec.task == "n4":
            leave(spec, score=0.7 + i / 100)
    code, output, errors = harness("run", "small.yaml", "--no-report")
    assert (code, errors) == (0, "")
    ended = cells(output)
    assert "8 runs finished" in output
    assert "note: runs of the same methods under other settings lie beside these" in output
    code, output, _ = harness("status", "results")
    assert (code, cells(output)) == (0, ended)
    assert output.splitlines()[-1] == "8 runs: 8 finished"
    assert "note: 4 folders left out of every count and score" in output
    found = json.loads(harness("status", "results", "--json")[1])
    assert (len(found["runs"]), len(found["superseded"])) == (8, 4)
    assert report_cells(harness) == ended
    assert read_runs("results").filter(superseded=False).height == 8


def test_fault_s_seeds_under_different_environment_settings_are_noticed(harness: Command, workplace: Path) -> None:
    plan = load("small.yaml").runs
    (workplace / "other.yaml").write_text(SUITE.replace("{size: 4}", "{size: 4, deterministic: false}"))
    for spec, other in zip(plan, load("other.yaml").runs, strict=True):
        leave(other if spec.seed else spec)
    output = harness("status", "results")[1]
    assert "note: seeds of n4/ppo (" in output and "were trained under different environment settings" in output
    assert output.splitlines()[-1] == "8 runs: 8 finished"


def test_fault_s_other_settings_of_a_method_have_one_label_in_all_views(harness: Command, workplace: Path) -> None:
    leave_all()
    (workplace / "small.yaml").write_text(SUITE.replace("feature_dim: 16", "feature_dim: 8"))
    for spec in load("small.yaml", methods=["rnd"]).runs:
        leave(spec, score=0.9)
    shown = cells(harness("status", "results")[1])
    assert {label.partition(" ")[0] for _, label in shown} == {"ppo", "rnd"}
    assert len(shown) == 6
    assert shown == report_cells(harness)
    assert {run["label"] for run in json.loads(harness("status", "results", "--json")[1])["runs"]} == {
        label for _, label in shown
    }


def test_fault_s_a_lost_last_evaluation_is_one_score_and_a_notice_everywhere(harness: Command, workplace: Path) -> None:
    folder = leave_all()[0]
    lines = folder.evaluations_file.read_text().splitlines(keepends=True)
    folder.evaluations_file.write_text("".join(lines[:3]))
    output = harness("run", "small.yaml", "--no-report")[1]
    status = harness("status", "results")[1]
    assert cells(output) == cells(status) == report_cells(harness)
    assert cells(output)["n4", "ppo"][0] == "0.300"  # 0.1 of the evaluation that is left, and 0.5
    for text in (output, status):
        assert "note: scores from an incomplete or early last evaluation: n4/ppo/seed-0" in text
    folder.evaluations_file.unlink()
    status = harness("status", "results")[1]
    assert "note: finished without a score that can be used in evaluations.csv: n4/ppo/seed-0" in status
    assert cells(harness("run", "small.yaml", "--no-report")[1]) == cells(status) == report_cells(harness, "again")


def test_fault_s_missing_runs_are_counted_alike(harness: Command, workplace: Path) -> None:
    record_plan(load("small.yaml").runs, RESULTS)
    for spec in load("small.yaml").runs[:-1]:
        leave(spec)
    assert harness("status", "results")[1].splitlines()[-1] == "8 runs: 7 finished, 1 missing"
    found = json.loads(harness("status", "results", "--json")[1])["runs"]
    assert [run["folder"] for run in found if run["state"] == "missing"] == [
        str(RunFolder.of(load("small.yaml").runs[-1], RESULTS).path)
    ]
    assert read_runs("results").filter(state="missing").height == 1
