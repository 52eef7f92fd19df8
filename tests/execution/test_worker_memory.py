"""A worker frees what a run leaves behind before it takes the next one."""

from __future__ import annotations

import gc
import io
import weakref
from pathlib import Path

import pytest
from support.specs import make_spec

from harness.execution import worker
from harness.execution.events import Outcome
from harness.execution.process_state import ProcessState


class Networks:
    """Refers to itself, as a learner and its environments do by way of each other."""

    def __init__(self) -> None:
        self.me = self


def test_cycles_of_a_run_are_gone_when_it_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    spec, left = make_spec(), []

    def attempt(*_, **__) -> Outcome:
        left.append(weakref.ref(Networks()))
        return Outcome(spec, "finished")

    monkeypatch.setattr(worker, "attempt", attempt)
    gc.disable()  # it would not come by itself before the next run's networks do
    try:
        job = worker.Job({"spec": spec.model_dump(mode="json"), "results": str(tmp_path)})
        worker.run_job(job, io.StringIO(), ProcessState.now())
        assert left[0]() is None
    finally:
        gc.enable()
