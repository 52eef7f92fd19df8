"""``harness prune``: runs of methods and tasks that a suite has no more are shown apart, and removed only if asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from report.synthetic import make_spec, write_finished, write_run

from harness import experiment
from harness.planning.load import load
from harness.planning.recorded import suite_names
from harness.runs.lock import Claim
from harness.runs.plans import SuiteNames, record_plan
from harness.spec import StartSpec

Harness = Callable[..., tuple[int, str, str]]
BOTH = SuiteNames(tasks=("north", "south"), methods=("ppo", "rnd"))
SUITE = """
suite: small
description: Two methods, of which one is dropped later
environment: {family: deep_sea}
tasks: {n5: {environment: {size: 5}}, n6: {environment: {size: 6}}}
algorithm: {name: ppo, n_envs: 4, n_steps: 8, batch_size: 32}
methods: {ppo: {}, rnd: {reward: rnd, config: {warm_up_steps: 0, hidden: [4], feature_dim: 4}}}
seeds: 1
steps: 64
evaluation: {every: 64, episodes: 1}
profiles: {smoke: {tasks: {n6: null}}}
"""


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two methods on two tasks, all of which were asked for on the first day."""
    results = tmp_path / "results"
    runs = [(task, method) for task in ("north", "south") for method in ("ppo", "rnd")]
    for task, method in runs:
        write_run(results, task, method, 0, state="failed" if (task, method) == ("south", "rnd") else "finished")
    at(monkeypatch, 1)
    record_plan([make_spec(task, method, 0) for task, method in runs], results, BOTH)
    at(monkeypatch, 2)
    return results


def at(monkeypatch: pytest.MonkeyPatch, day: int) -> None:
    monkeypatch.setattr("harness.runs.plans.now", lambda: f"2026-11-{day:02}T00:00:00+00:00")


def dropped(results: Path) -> list[str]:
    found = experiment.prune(results, lambda _: False, lambda _: False).found
    return sorted(f"{one.run.spec.task}/{one.run.spec.method}" for one in found)


def test_runs_of_a_dropped_method_are_removed_apart_and_only_when_named(results: Path, harness: Harness) -> None:
    names = SuiteNames(tasks=("north", "south"), methods=("ppo",))
    record_plan([make_spec(task, "ppo", 0) for task in ("north", "south")], results, names)
    code, output, _ = harness("prune", results, "--yes")
    assert (code, output.splitlines()[-1]) == (0, "removed 0 runs")
    assert "2 runs of methods or tasks that were dropped from their suite, 1 of them finished" in output
    assert len(list(results.glob("**/run.json"))) == 4
    code, output, _ = harness("prune", results, "--yes", "--dropped")
    assert (code, output.splitlines()[-1]) == (0, "removed 2 runs")
    assert {file.parts[-3].partition("-")[0] for file in results.glob("**/run.json")} == {"ppo"}


def test_without_a_terminal_or_with_dropped_alone_nothing_goes(results: Path, harness: Harness) -> None:
    record_plan([make_spec("north", "ppo", 0)], results, SuiteNames(tasks=("north",), methods=("ppo",)))
    code, _, errors = harness("prune", results)
    assert code == 2
    assert "--yes --dropped" in errors
    assert harness("prune", results, "--dropped")[0] == 2
    assert harness("prune", results, "--dry-run")[0] == 0
    assert len(list(results.glob("**/run.json"))) == 4


def test_what_was_left_out_once_is_not_dropped(results: Path) -> None:
    record_plan([make_spec("north", "ppo", 0)], results, BOTH)
    assert dropped(results) == []


def test_a_dropped_task_and_one_that_came_back(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_plan([make_spec("north", "ppo", 0)], results, SuiteNames(tasks=("north",), methods=("ppo", "rnd")))
    assert dropped(results) == ["south/ppo", "south/rnd"]
    at(monkeypatch, 3)
    record_plan([make_spec("north", "rnd", 0)], results, BOTH)
    assert dropped(results) == []


@pytest.mark.parametrize("folder", ["", "synthetic/north"])
def test_plans_without_names_tell_what_none_of_them_asks_for(tmp_path: Path, folder: str) -> None:
    for method in ("ppo", "rnd"):
        write_run(tmp_path, "north", method, 0)
    assert dropped(tmp_path / folder) == []  # nobody knows what was asked for
    record_plan([make_spec("north", "ppo", 0)], tmp_path)
    assert dropped(tmp_path / folder) == ["north/rnd"]


def test_plans_of_other_results_say_nothing(results: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_run(other, "north", "ppo", 0)
    record_plan([make_spec("north", "ppo", 0)], other, SuiteNames(tasks=("north",), methods=("ppo",)))
    found = experiment.prune([results, other], lambda _: True, lambda _: True).found
    assert list(found) == []


def test_nothing_is_dropped_where_a_plan_cannot_be_read(results: Path) -> None:
    record_plan([make_spec("north", "ppo", 0)], results, SuiteNames(tasks=("north",), methods=("ppo",)))
    (results / "synthetic" / "plans" / "0.json").write_text("{")
    assert dropped(results) == []


def test_what_others_begin_from_and_what_a_process_holds_stay(results: Path) -> None:
    record_plan([make_spec("north", "ppo", 0)], results, SuiteNames(tasks=("north", "south"), methods=("ppo",)))
    source = make_spec("north", "rnd", 0)
    start = StartSpec(path=source.path, digest=source.digest, method_digest=source.method_digest)
    write_run(results, "south", "ppo", 0, start=start, budget=5000)
    assert dropped(results) == ["south/rnd"]
    claim = Claim(next(results.glob("synthetic/south/rnd-*/seed-0")) / "claim")
    claim.acquire()
    try:
        assert dropped(results) == []
    finally:
        claim.release()


def test_scripts_that_confirm_everything_lose_no_finished_run(results: Path) -> None:
    record_plan([make_spec("north", "ppo", 0)], results, SuiteNames(tasks=("north",), methods=("ppo",)))
    assert not experiment.prune(results, lambda _: True).found


def test_a_suite_tells_all_its_names_whatever_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SUITE)
    names = suite_names(load(file, profile="smoke", methods=["ppo"]))
    assert names == SuiteNames(tasks=("n5", "n6"), methods=("ppo", "rnd"))


def test_a_method_that_is_dropped_when_everything_is_finished_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SUITE)
    plan = load(file)
    for spec in plan.runs:
        write_finished(spec, tmp_path / "results")
    record_plan(plan.runs, tmp_path / "results", suite_names(plan))
    assert not experiment.run(plan, tmp_path / "results").outcomes
    recorded = {path: path.read_bytes() for path in tmp_path.glob("results/small/plans/*")}
    experiment.run(plan, tmp_path / "results")
    assert {path: path.read_bytes() for path in tmp_path.glob("results/small/plans/*")} == recorded  # not written again
    assert dropped(tmp_path / "results") == []
    file.write_text(SUITE.replace("ppo: {}, rnd", "rnd"))
    assert experiment.run(load(file), tmp_path / "results").finished
    assert dropped(tmp_path / "results") == ["n5/ppo", "n6/ppo"]
