"""Worker processes: what becomes of runs when training raises, dies, hangs, or everything is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from support.other_process import other_process, until_all_are_under_way

from harness.execution.events import RunEnded, RunProgressed, RunStarted
from harness.execution.executor import ExecutionOptions
from harness.execution.local import LocalExecutor
from harness.runs.folder import RunFolder
from harness.spec import AlgorithmSpec, EnvironmentSpec, EvaluationSpec, RunSpec, StartSpec

# What the worker is told to train with; the "family" of a spec says how it behaves. These stand in for training because
# the processes around it are what is tested here.
TRAIN = '''
import ctypes, os, signal, sys, time
from pathlib import Path
from harness.runs.lock import AlreadyClaimed
from harness.errors import RunError
from harness.runs.progress import RunProgress
from harness.runs.folder import RunFolder, RunRecord, RunStatus, now


def train(spec, results, *, device="auto", report=None, fresh=False, stop=None):
    folder = RunFolder.of(spec, results)
    with folder.claim():
        status = RunStatus(state="running", step=0, steps=spec.steps, started=now(), updated=now())
        folder.write(RunRecord(
            digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={"pid": os.getpid()}, status=status
        ))
        (folder.path / "environment.txt").write_text(os.environ.get("OMP_NUM_THREADS", "") + " " + device + " " + str(fresh))
        if report:
            report(RunProgress(1, spec.steps, 10.0, 0.5))
        globals()[spec.environment.family]()
        return folder.set_state("finished", step=spec.steps, score=1.0).status


def works(): ...
def talks():
    print("this is not a message"); os.write(1, b"nor is this\\n")
def raises(): raise ZeroDivisionError("of all things")
def refuses(): raise RunError("the checkpoint\\nis damaged")
def claimed(): raise AlreadyClaimed("in use by process 1 on elsewhere")
def exits(): os._exit(3)
def quits(): sys.exit("bye")
def segfaults(): ctypes.string_at(0)
def killed(): os.kill(os.getpid(), signal.SIGKILL)
def hangs(): time.sleep(600)
'''  # fmt: skip


@pytest.fixture(autouse=True)
def fake_training(tmp_path, monkeypatch):
    (tmp_path / "fake_training.py").write_text(TRAIN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def run_spec(family: str, seed: int = 0, threads: int = 1) -> RunSpec:
    return RunSpec(
        suite="processes",
        task="t",
        method=family,
        seed=seed,
        environment=EnvironmentSpec(family=family, config={}),
        algorithm=AlgorithmSpec(name="ppo", config={"threads": threads}),
        reward=None,
        steps=100,
        evaluation=EvaluationSpec(every=10),
        checkpoint_every=10,
    )


def run(specs, results, workers=2, *, train="fake_training:train", on_event=lambda event: None, **options):
    return LocalExecutor(train).execute(specs, ExecutionOptions(results, workers, **options), on_event)


def test_every_way_to_fail_stays_with_its_run(tmp_path):
    families = ["works", "raises", "segfaults", "refuses", "killed", "talks", "exits", "claimed", "quits", "works"]
    specs = [run_spec(family, seed) for seed, family in enumerate(families)]
    outcomes = run(specs, tmp_path, wait=False)

    assert [outcome.spec for outcome in outcomes] == specs
    endings = dict(zip(families, outcomes, strict=True))
    assert [outcome.ending for outcome in outcomes].count("finished") == 3
    assert endings["claimed"].ending == "claimed"
    assert endings["claimed"].error == "in use by process 1 on elsewhere"
    causes = {
        "raises": "ZeroDivisionError: of all things",
        "refuses": "the checkpoint is damaged",
        "segfaults": "its process was killed by SIGSEGV",
        "killed": "its process was killed by SIGKILL; if nobody did so, memory ran out: try fewer --workers",
        "exits": "its process ended with exit code 3",
        "quits": "SystemExit: bye",
    }
    for family, cause in causes.items():
        folder = RunFolder.of(endings[family].spec, tmp_path)
        assert endings[family].ending == "failed"
        assert endings[family].error.startswith(cause)
        assert folder.state() == "failed"
        assert folder.read().status.error == endings[family].error
    assert "in raises" in RunFolder.of(endings["raises"].spec, tmp_path).error_log.read_text()
    assert "Segmentation fault" in RunFolder.of(endings["segfaults"].spec, tmp_path).error_log.read_text()


def test_failure_before_there_is_a_record_is_recorded(tmp_path):
    spec = run_spec("works")
    (outcome,) = run([spec], tmp_path, workers=1, train="no_such_module:train")
    assert outcome.ending == "failed"
    status = RunFolder.of(spec, tmp_path).read().status
    assert (status.state, status.steps) == ("failed", 100)
    assert status.error == "ModuleNotFoundError: No module named 'no_such_module'"


def test_success_removes_the_log_of_an_earlier_failure(tmp_path):
    spec = run_spec("works")
    folder = RunFolder.of(spec, tmp_path)
    folder.path.mkdir(parents=True)
    folder.error_log.write_text("old")
    run([spec], tmp_path)
    assert not folder.error_log.exists()


def test_one_worker_trains_many_runs_and_events_come_in_order(tmp_path):
    specs = [run_spec("works", seed) for seed in range(3)]
    events = []
    run(specs, tmp_path, workers=1, on_event=events.append)
    pids = {RunFolder.of(spec, tmp_path).read().provenance["pid"] for spec in specs}
    assert len(pids) == 1
    assert [type(event) for event in events] == [RunStarted, RunProgressed, RunEnded] * 3
    assert events[1].progress.score == 0.5


def test_threads_are_set_before_libraries_load_and_arguments_arrive(tmp_path):
    specs = [run_spec("works", seed, threads) for seed, threads in enumerate([1, 3, 3])]
    run(specs, tmp_path, workers=1, device="cpu", fresh=True)
    seen = [(RunFolder.of(spec, tmp_path).path / "environment.txt").read_text() for spec in specs]
    assert seen == ["1 cpu True", "3 cpu True", "3 cpu True"]


def begun_from(parent: RunSpec, child: RunSpec) -> RunSpec:
    start = StartSpec(path=parent.path, digest=parent.digest, method_digest=parent.method_digest)
    return child.model_copy(update={"start": start})


def test_a_run_waits_for_the_one_that_it_begins_from(tmp_path):
    parent, other = run_spec("works", 0), run_spec("works", 1)
    child = begun_from(parent, run_spec("talks", 2))
    events = []
    outcomes = run([child, other, parent], tmp_path, workers=3, on_event=events.append)
    assert [outcome.ending for outcome in outcomes] == ["finished"] * 3
    order = [(type(event), getattr(event, "spec", None) or event.outcome.spec) for event in events]
    assert order.index((RunEnded, parent)) < order.index((RunStarted, child))
    assert order.index((RunStarted, other)) < order.index((RunStarted, parent))  # a run that waits holds up no other


@pytest.mark.parametrize(
    ("family", "ending", "what"), [("raises", "failed", "failed"), ("claimed", "claimed", "is in other hands")]
)
def test_what_begins_from_a_run_that_did_not_end_well_is_not_started(tmp_path, family, ending, what):
    parent = run_spec(family, 0)
    child = begun_from(parent, run_spec("works", 1))
    grandchild, other = begun_from(child, run_spec("works", 2)), run_spec("works", 3)
    outcomes = run([parent, child, grandchild, other], tmp_path, wait=False)
    assert [outcome.ending for outcome in outcomes] == [ending, ending, ending, "finished"]
    assert outcomes[1].error.startswith(f"t/{family}/seed-0, from which it begins, {what}: ")
    assert outcomes[2].error.startswith("t/works/seed-1, from which it begins, ")
    folder = RunFolder.of(child, tmp_path)
    assert folder.record_file.exists() == (ending == "failed")
    if ending == "failed":
        assert folder.state() == "failed"


def test_a_run_begins_at_once_if_what_it_begins_from_is_none_of_them(tmp_path):
    child = begun_from(run_spec("works", 0), run_spec("works", 1))
    (outcome,) = run([child], tmp_path)
    assert outcome.ending == "finished"


@contextlib.contextmanager
def parent_with_two_hanging_runs(results):
    specs = [run_spec("hangs", seed) for seed in range(4)]
    with other_process(specs, results, train="fake_training:train", saves=False) as process:
        until_all_are_under_way(process, specs[:2])
        yield process, specs


def wait_for_end_of(workers):
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


@pytest.mark.parametrize("whole_group", [False, True], ids=["to the parent", "to the group, as a terminal does"])
def test_ctrl_c_stops_the_workers_and_leaves_runs_interrupted(tmp_path, whole_group):
    with parent_with_two_hanging_runs(tmp_path) as (process, specs):
        workers = psutil.Process(process.pid).children()
        began = time.monotonic()
        if whole_group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert time.monotonic() - began < 5
        wait_for_end_of(workers)
    states = [RunFolder.of(spec, tmp_path).read().status.state for spec in specs[:2]]
    assert states == ["interrupted", "interrupted"]
    assert not Path(RunFolder.of(specs[2], tmp_path).path).exists()


def test_workers_leave_it_to_their_parent_to_stop(tmp_path):
    with parent_with_two_hanging_runs(tmp_path) as (process, _):
        workers = psutil.Process(process.pid).children()
        for worker in workers:
            worker.send_signal(signal.SIGINT)
            worker.send_signal(signal.SIGTERM)
        assert psutil.wait_procs(workers, timeout=1)[0] == []


def test_workers_die_with_a_killed_parent(tmp_path):
    with parent_with_two_hanging_runs(tmp_path) as (process, specs):
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        process.kill()
        process.wait()
        wait_for_end_of(workers)
    assert RunFolder.of(specs[0], tmp_path).state() == "interrupted"
