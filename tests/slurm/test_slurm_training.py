"""Jobs that train: with real processes, real signals, and the files that an unbroken run leaves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import submitit
from support.specs import make_spec
from training.test_run import content

from harness.execution.assignment import Assignment
from harness.execution.events import RunEnded, RunStarted
from harness.execution.executor import ExecutionOptions
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder, RunRecord
from harness.spec import RunSpec, StartSpec
from harness.training.run import train
from harness_slurm.config import SlurmConfig
from harness_slurm.executor import SlurmExecutor
from harness_slurm.job import TrainingJob


def until(condition: Callable[[], object], seconds: float = 600) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "waited too long"
        time.sleep(0.05)


def record(spec: RunSpec, results: Path) -> RunRecord:
    return RunFolder.of(spec, results).read()


def is_under_way(spec: RunSpec, results: Path) -> Callable[[], bool]:
    return lambda: len(read_csv_rows(RunFolder.of(spec, results).progress_file)[1]) > 3


def states(spec: RunSpec, results: Path) -> list[str]:
    return [entry.state for entry in record(spec, results).status.history]


def long_spec(seed: int = 0) -> RunSpec:
    """A run of some seconds that saves at its end, and where it is stopped."""
    return make_spec(steps=6400, evaluate_every=3200, checkpoint_every=6400, seed=seed)


def step_of(job_process: int) -> psutil.Process:
    """The process in which submitit calls the job."""
    (step,) = (it for it in psutil.Process(job_process).children() if "submitit.core._submit" in " ".join(it.cmdline()))
    return step


def files(spec: RunSpec, results: Path) -> set[str]:
    return {item.name for item in RunFolder.of(spec, results).path.iterdir() if "tfevents" not in item.name}


def test_a_job_trains_its_run_and_leaves_nothing_but_its_folder(slurm, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SLURM_RUNS", "1")
    spec, results, events = make_spec(steps=320, evaluate_every=320), tmp_path / "results", []
    (outcome,) = SlurmExecutor().execute([spec], ExecutionOptions(results), events.append)
    assert (outcome.spec, outcome.ending) == (spec, "finished")
    assert (events[0], events[-1]) == (RunStarted(spec), RunEnded(outcome))
    train(spec, tmp_path / "here")
    assert content(results, spec) == content(tmp_path / "here", spec)
    assert files(spec, results) == files(spec, tmp_path / "here")


@pytest.mark.slow
def test_a_run_begins_after_the_one_that_it_begins_from(slurm, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SLURM_RUNS", "1")
    first, results, events = make_spec(steps=320, evaluate_every=320), tmp_path / "results", []
    start = StartSpec(path=first.path, digest=first.digest, method_digest=first.method_digest)
    second = first.model_copy(update={"method": "later", "start": start})
    outcomes = SlurmExecutor().execute([first, second], ExecutionOptions(results), events.append)
    assert [outcome.ending for outcome in outcomes] == ["finished", "finished"]
    assert [event.spec for event in events if isinstance(event, RunStarted)] == [first, second]


@pytest.mark.slow
def test_a_job_that_comes_near_its_time_limit_is_queued_again_and_its_run_ends_as_an_unbroken_one(
    slurm, tmp_path, monkeypatch
):
    monkeypatch.setenv("FAKE_SLURM_RUNS", "1")
    specs, results = [long_spec(seed) for seed in range(2)], tmp_path / "results"
    interrupted = []

    def on_event(event: object) -> None:
        if not interrupted and is_under_way(specs[1], results)():
            interrupted.append(event)
            os.kill(int((slurm / "pid" / "1001_1").read_text()), signal.SIGUSR2)

    config = SlurmConfig(array_parallelism=2)
    outcomes = SlurmExecutor().execute(specs, ExecutionOptions(results, config=config), on_event)
    assert [outcome.ending for outcome in outcomes] == ["finished", "finished"]
    assert states(specs[0], results) == ["running", "finished"]
    assert states(specs[1], results) == ["running", "interrupted", "running", "finished"]
    assert record(specs[1], results).status.history[1].step > 0
    for spec in specs:
        train(spec, tmp_path / "whole")
        assert content(results, spec) == content(tmp_path / "whole", spec)


@pytest.mark.slow
@pytest.mark.parametrize("signals", [[signal.SIGUSR2], [signal.SIGTERM, signal.SIGUSR2]], ids=["limit", "preemption"])
def test_submitit_queues_a_preempted_job_again_and_its_run_ends_as_an_unbroken_one(tmp_path, monkeypatch, signals):
    spec, results = long_spec(), tmp_path / "results"
    job = TrainingJob(Assignment.create([spec], ExecutionOptions(results)).model_dump_json())
    executor = submitit.LocalExecutor(tmp_path / "jobs")
    executor.update_parameters(timeout_min=10)
    submitted = executor.submit(job)
    until(is_under_way(spec, results))
    step = step_of(int(submitted.job_id))
    for number in signals:
        step.send_signal(number)
        if number == signal.SIGTERM:
            until(lambda: states(spec, results) == ["running", "interrupted"])
    until(lambda: states(spec, results)[-1] in ("finished", "failed"))
    submitted.wait()
    assert states(spec, results) == ["running", "interrupted", "running", "finished"]
    assert record(spec, results).status.history[1].step > 0
    train(spec, tmp_path / "whole")
    assert content(results, spec) == content(tmp_path / "whole", spec)
