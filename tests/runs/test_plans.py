"""What some plan asked for is planned, nothing else; and what nobody wants any more is told from what failed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from report.synthetic import make_spec, write_run

from harness.runs.plans import record_plan
from harness.runs.results import Results, read_results
from harness.runs.status import read_runs_below

LATER = "2026-11-22T12:00:00+00:00"


def states(results: Results) -> Counter[tuple[str, str]]:
    return Counter(results.runs.select("label", "state").rows())


def test_fault_2_no_cross_product_is_planned(tmp_path: Path) -> None:
    """Another method on another task with other seeds: nobody asked for the other combinations."""
    specs = [make_spec("north", "ppo", 0), make_spec("north", "rnd", 0), make_spec("south", "ppo", 1)]
    record_plan(specs, tmp_path)
    for spec in specs:
        write_run(tmp_path, spec.task, spec.method, spec.seed)
    assert set(read_results([tmp_path]).runs["state"]) == {"finished"}
    assert len(read_runs_below([tmp_path]).runs) == 3


def test_what_was_asked_for_and_never_began_is_missing(tmp_path: Path) -> None:
    asked = [make_spec(task, method, seed) for task in ("north", "south") for method in ("ppo", "rnd") for seed in (0, 1)]
    record_plan(asked, tmp_path)
    write_run(tmp_path, "north", "ppo", 0)
    found = read_results([tmp_path])
    assert states(found) == {("ppo", "finished"): 1, ("ppo", "missing"): 3, ("rnd", "missing"): 4}
    assert found.tasks["task"].to_list() == ["north", "south"]
    assert Counter(run.state for run in read_runs_below([tmp_path]).runs) == {"finished": 1, "missing": 7}


def test_a_part_of_the_results_misses_what_would_lie_in_it(tmp_path: Path) -> None:
    record_plan([make_spec(task, "ppo", seed) for task in ("north", "south") for seed in (0, 1)], tmp_path)
    write_run(tmp_path, "north", "ppo", 0)
    write_run(tmp_path, "south", "ppo", 0)
    assert states(read_results([tmp_path / "synthetic" / "north"])) == {("ppo", "finished"): 1, ("ppo", "missing"): 1}
    folder = next(tmp_path.glob("synthetic/north/*/seed-0"))
    assert states(read_results([folder])) == {("ppo", "finished"): 1}


def test_several_plans_are_planned_together(tmp_path: Path) -> None:
    record_plan([make_spec("north", "ppo", seed) for seed in (0, 1)], tmp_path)
    record_plan([make_spec("north", "ppo", seed) for seed in (1, 2)], tmp_path)
    write_run(tmp_path, "north", "ppo", 0)
    assert states(read_results([tmp_path])) == {("ppo", "finished"): 1, ("ppo", "missing"): 2}


@pytest.mark.parametrize("recorded", [True, False])
def test_dead_runs_of_abandoned_settings_count_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: bool
) -> None:
    old = [make_spec("north", "ppo", seed, steps=5000) for seed in (0, 1, 2)]
    new = [make_spec("north", "ppo", seed) for seed in (0, 1)]
    if recorded:
        monkeypatch.setattr("harness.runs.plans.now", lambda: "2026-11-20T00:00:00+00:00")
        record_plan(old, tmp_path)
        monkeypatch.setattr("harness.runs.plans.now", lambda: LATER)
        record_plan(new, tmp_path)
    write_run(tmp_path, "north", "ppo", 0, budget=5000, state="interrupted", updated="2026-11-20T08:00:00+00:00")
    write_run(tmp_path, "north", "ppo", 1, budget=5000, state="failed", updated="2026-11-20T08:00:00+00:00")
    for seed in (0, 1):
        write_run(tmp_path, "north", "ppo", seed)
    found = read_results([tmp_path])
    assert states(found) == {("ppo", "finished"): 2}
    assert found.abandoned.select("seed", "state", "steps").rows() == [(0, "interrupted", 5000), (1, "failed", 5000)]
    notice = read_runs_below([tmp_path]).notices[-1]
    assert notice.startswith("2 runs of abandoned settings, unfinished and counted nowhere: ")


def test_failed_runs_of_settings_that_have_scores_stay_in_the_count(tmp_path: Path) -> None:
    """Otherwise a method whose seeds failed would look better once another budget was tried."""
    record_plan([make_spec("north", "ppo", seed, steps=5000) for seed in (0, 1, 2)], tmp_path)
    record_plan([make_spec("north", "ppo", seed) for seed in (0, 1, 2)], tmp_path)
    for file in tmp_path.glob("synthetic/plans/*.json"):
        content = json.loads(file.read_text())
        file.write_text(json.dumps(content | {"asked": LATER if content["runs"][0]["spec"]["steps"] == 10_000 else "2026"}))
    write_run(tmp_path, "north", "ppo", 0, budget=5000)
    write_run(tmp_path, "north", "ppo", 1, budget=5000, state="failed")
    write_run(tmp_path, "north", "ppo", 0)
    expected = {("finished"): 1, ("failed"): 1, ("missing"): 1}
    found = states(read_results([tmp_path]))
    assert {state: n for (label, state), n in found.items() if label == "ppo · 5k steps"} == expected
    assert {state: n for (label, state), n in found.items() if label == "ppo · 10k steps"} == {"finished": 1, "missing": 2}


def test_runs_that_failed_under_settings_that_are_wanted_are_not_abandoned(tmp_path: Path) -> None:
    record_plan([make_spec("north", method, 0) for method in ("ppo", "rnd")], tmp_path)
    write_run(tmp_path, "north", "ppo", 0, state="failed")
    write_run(tmp_path, "north", "rnd", 0, state="interrupted")
    found = read_results([tmp_path])
    assert states(found) == {("ppo", "failed"): 1, ("rnd", "interrupted"): 1}
    assert found.abandoned.is_empty()


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 2}', '{"format": 1, "asked": "x", "runs": [{"spec": {}, "seeds": []}]}']
)
def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    record_plan([make_spec("north", "ppo", seed) for seed in (0, 1)], tmp_path)
    write_run(tmp_path, "north", "ppo", 0)
    file = next(tmp_path.glob("synthetic/plans/*.json"))
    file.write_text(content)
    found = read_results([tmp_path])
    assert states(found) == {("ppo", "finished"): 1}
    assert len(found.unreadable) == 1
    assert str(file) in found.unreadable[0]


@pytest.mark.parametrize("task", ["../../north", "..", ".", "", "a/b", "/tmp", "nor\\u0000th"])
def test_names_in_a_plan_lead_nowhere_else(tmp_path: Path, task: str) -> None:
    record_plan([make_spec("north", "ppo", seed) for seed in (0, 1)], tmp_path)
    write_run(tmp_path, "north", "ppo", 0)
    file = next(tmp_path.glob("synthetic/plans/*.json"))
    file.write_text(file.read_text().replace('"task": "north",\n', f'"task": "{task}",\n'))
    assert states(read_results([tmp_path])) == {("ppo", "finished"): 1}


def test_a_run_that_lies_in_another_of_the_folders_is_not_missing(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for results, seed in ((one, 0), (two, 1)):
        record_plan([make_spec("north", "ppo", seed) for seed in (0, 1)], results)
        write_run(results, "north", "ppo", seed)
    assert states(read_results([one, two])) == {("ppo", "finished"): 2}
    shutil.rmtree(two)
    assert states(read_results([one])) == {("ppo", "finished"): 1, ("ppo", "missing"): 1}
