"""The bookkeeping of a suite under way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.display.progress_state import SuiteProgress
from harness.execution.events import Outcome, RunEnded, RunProgressed, RunStarted
from harness.runs.folder import RunFolder
from harness.runs.progress import RunProgress
from harness.runs.status import RunSummary
from harness.spec import AlgorithmSpec, EnvironmentSpec, EvaluationSpec, RunSpec


def summary(method: str, seed: int, step: int = 0) -> RunSummary:
    spec = RunSpec(
        suite="s",
        task="t",
        method=method,
        seed=seed,
        environment=EnvironmentSpec(family="e", config={}),
        algorithm=AlgorithmSpec(name="a", config={}),
        reward=None,
        steps=1000,
        evaluation=EvaluationSpec(every=100),
        checkpoint_every=100,
    )
    return RunSummary(spec, RunFolder(Path("nowhere")), "interrupted" if step else "missing", step)


def advanced(run: RunSummary, step: int, speed: float) -> RunProgressed:
    return RunProgressed(run.spec, RunProgress(step, 1000, speed))


@given(st.lists(st.sampled_from(["finished", "failed", "claimed", "advances", "stays"]), max_size=12), st.integers(0, 3))
def test_every_run_is_counted_once(fates, before):
    runs = [summary("m", seed) for seed in range(len(fates))]
    suite_progress = SuiteProgress(runs, finished=before)
    for run, fate in zip(runs, fates, strict=True):
        if fate == "stays":
            continue
        suite_progress.update(RunStarted(run.spec))
        suite_progress.update(advanced(run, 500, 10.0))
        if fate != "advances":
            suite_progress.update(RunEnded(Outcome(run.spec, fate)))
    assert suite_progress.finished == before + fates.count("finished")
    assert suite_progress.waiting == fates.count("stays")
    assert len(suite_progress.running) == fates.count("advances")
    assert (
        suite_progress.finished
        + suite_progress.failed
        + suite_progress.claimed
        + suite_progress.waiting
        + len(suite_progress.running)
        == suite_progress.total
    )


def test_time_left_knows_that_methods_differ_in_speed():
    fast, slow, waiting = summary("fast", 0), summary("slow", 0), summary("slow", 1)
    suite_progress = SuiteProgress([fast, slow, waiting])
    assert suite_progress.seconds_left is None
    for run in (fast, slow):
        suite_progress.update(RunStarted(run.spec))
    suite_progress.update(advanced(fast, 500, 100.0))
    suite_progress.update(advanced(slow, 500, 10.0))
    assert suite_progress.seconds_left == pytest.approx((5 + 50 + 100) / 2)


def test_time_left_does_not_count_what_was_done_before():
    suite_progress = SuiteProgress([summary("m", 0, step=900), summary("m", 1)])
    suite_progress.update(RunStarted(other_run := summary("m", 1).spec))
    suite_progress.update(RunProgressed(other_run, RunProgress(500, 1000, 10.0)))
    assert suite_progress.seconds_left == pytest.approx(10 + 50)
