"""What is recorded of a run whose process was ended from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.specs import make_spec

from harness.execution.attempt import attempt, record_interruption
from harness.runs.folder import RunFolder
from harness.spec import RunSpec


@pytest.fixture
def finished(tmp_path: Path) -> RunSpec:
    spec = make_spec(steps=64, evaluate_every=64)
    assert attempt(spec, tmp_path, device="cpu").ending == "finished"
    return spec


def states(spec: RunSpec, results: Path) -> list[str]:
    return [entry.state for entry in RunFolder.of(spec, results).read().status.history]


def test_a_run_that_was_ended_is_recorded_as_interrupted_once(finished, tmp_path):
    folder = RunFolder.of(finished, tmp_path)
    with folder.claim():
        folder.set_state("running")
    record_interruption(finished, tmp_path)
    record_interruption(finished, tmp_path)
    assert states(finished, tmp_path) == ["running", "finished", "running", "interrupted"]


def test_a_run_that_finished_as_it_was_ended_stays_finished(finished, tmp_path):
    record_interruption(finished, tmp_path)
    assert states(finished, tmp_path) == ["running", "finished"]
