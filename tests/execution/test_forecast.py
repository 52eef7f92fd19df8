"""What a plan will take, and how many runs fit at a time."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from harness.cli.display.forecast import print_forecast
from harness.execution.capacity import MIN_WORKER_MEMORY_BYTES, cores, default_workers
from harness.execution.forecast import forecast
from harness.runs.folder import RunFolder
from harness.runs.status import RunSummary
from harness.spec import AlgorithmSpec, EnvironmentSpec, EvaluationSpec, RunSpec


@dataclass
class Cost:
    memory_bytes: int = 1 << 30
    replay_bytes: int = 0
    steps_per_second: float = 100.0
    evaluation_seconds: float = 0.0
    unended_after: int | None = None


def summary(task="t", method="m", seed=0, state="missing", step=0, threads=1):
    spec = RunSpec(
        suite="s",
        task=task,
        method=method,
        seed=seed,
        environment=EnvironmentSpec(family="e", config={"task": task}),
        algorithm=AlgorithmSpec(name="a", config={"threads": threads, "method": method}),
        reward=None,
        steps=10_000,
        evaluation=EvaluationSpec(every=100),
        checkpoint_every=100,
    )
    return RunSummary(spec, RunFolder(Path("nowhere")), state, step)


def test_only_what_is_left_takes_time():
    runs = [summary(seed=0, state="finished", step=10_000), summary(seed=1, state="interrupted", step=9_000)]
    plan = forecast(runs, lambda spec: Cost(), workers=1)
    (group,) = plan.groups
    assert (group.runs, group.finished) == (2, 1)
    assert group.seconds == plan.seconds == pytest.approx(10 + 5)


def test_fault_j_evaluations_take_time_and_a_lower_bound_is_called_one():
    runs = [summary(seed=0), summary(seed=1, state="interrupted", step=9_000)]
    plan = forecast(runs, lambda spec: Cost(evaluation_seconds=2.0, unended_after=700), workers=1)
    (group,) = plan.groups
    assert group.seconds == plan.seconds == pytest.approx((100 + 200 + 5) + (10 + 20 + 5))
    assert group.seconds_from_scratch == pytest.approx(2 * (100 + 200 + 5))
    console = Console(file=StringIO(), width=200)
    print_forecast(console, plan)
    assert (
        "no evaluation episode of t/m ended within 700 steps, so that the time is a lower bound;"
        " evaluation: {max_steps: N} bounds an episode"
    ) in console.file.getvalue()


def test_workers_share_the_work_but_no_more_than_there_are_runs():
    runs = [summary(seed=seed) for seed in range(4)]
    assert forecast(runs, lambda spec: Cost(), workers=2).seconds == pytest.approx(2 * 105)
    assert forecast(runs, lambda spec: Cost(), workers=100).seconds == pytest.approx(105)


def test_each_method_is_measured_once_per_family():
    asked = []
    runs = [summary(task, method, seed) for task in "ab" for method in "xyz" for seed in range(3)]
    plan = forecast(runs, lambda spec: asked.append(spec.method) or Cost())
    assert sorted(asked) == ["x", "y", "z"]
    assert len(plan.groups) == 6


def test_memory_that_does_not_hold_the_largest_run_is_told():
    assert forecast([summary()], lambda spec: Cost(memory_bytes=1 << 60)).fitting == 0


def test_default_workers_follow_cores_threads_and_memory(monkeypatch):
    specs = [summary(seed=seed).spec for seed in range(1000)]
    assert default_workers(specs) <= cores()
    monkeypatch.setattr("harness.execution.capacity.cores", lambda: 8)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 100 * MIN_WORKER_MEMORY_BYTES}))
    assert default_workers(specs) == 8
    assert default_workers([*specs, summary(threads=3).spec]) == 2
    assert default_workers(specs[:3]) == 3
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 3 * MIN_WORKER_MEMORY_BYTES}))
    assert default_workers(specs) == 3
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 0}))
    assert default_workers(specs) == 1
