"""Runs that are trained here: what is reported of them, what becomes of failures, and what is refused."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from harness import experiment
from harness.errors import UserError
from harness.execution.events import RunEnded, RunProgressed, RunStarted
from harness.experiment import PlanStarted
from harness.planning.plan import Plan

SUITE = Path(__file__).parents[1] / "suites" / "inline.yaml"


@pytest.fixture
def plan() -> Plan:
    return experiment.plan(SUITE, seeds=1)


def test_runs_are_trained_one_after_another_in_this_process(plan: Plan, tmp_path: Path) -> None:
    events: list[object] = []

    def on_event(event: object) -> None:
        events.append(event)
        assert psutil.Process().children(recursive=True) == []

    result = experiment.run(plan, tmp_path, executor="inline", on_event=on_event)
    assert [outcome.ending for outcome in result.outcomes] == ["finished", "finished"]
    kinds = [type(event) for event in events if not isinstance(event, RunProgressed)]
    assert kinds == [PlanStarted, RunStarted, RunEnded, RunStarted, RunEnded]
    steps = [event.progress.step for event in events if isinstance(event, RunProgressed) and event.spec == plan.runs[0]]
    assert steps[-1] == 512
    assert {run.state for run in experiment.status(tmp_path, plan).runs} == {"finished"}
    assert experiment.run(plan, tmp_path, executor="inline").outcomes == []


def test_a_failure_stays_with_its_run(tmp_path: Path) -> None:
    overrides = [("methods.ppo.algorithm.network", "burda2018")]  # a network for images
    result = experiment.run(experiment.plan(SUITE, seeds=1, overrides=overrides), tmp_path, executor="inline")
    assert [outcome.ending for outcome in result.outcomes] == ["failed", "finished"]
    assert result.failed[0].error


def test_several_workers_are_refused(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one run at a time, not 2: use --workers 1"):
        experiment.run(plan, tmp_path / "results", executor="inline", workers=2)
    assert not (tmp_path / "results").exists()


def test_tuning_needs_more_than_this_executor_has(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="executor 'inline' cannot tune: .* use --executor local"):
        experiment.tune(plan, "ppo_rnd", tmp_path / "results", executor="inline")
    assert not (tmp_path / "results").exists()
