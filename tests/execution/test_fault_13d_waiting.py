"""Faults b and d: runs that others have are waited for, taken over when their owners die, and never trained twice."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.claims import elsewhere, write_claim
from support.fake_training import TRAIN, run_spec, seen
from support.other_process import other_process, until_all_are_under_way

from harness.execution.carry import execute_plan
from harness.execution.environment import SECRET_VARIABLES, without_passwords
from harness.execution.events import Outcome, RunEnded, RunHeld, RunStarted
from harness.execution.executor import ExecutionOptions, RunExecutor
from harness.execution.local import LocalExecutor
from harness.execution.measuring import measuring_process
from harness.execution.stopping import StopRequest
from harness.runs.folder import RunFolder
from harness.spec import RunSpec

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _workers_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@contextmanager
def at_it_elsewhere(spec: RunSpec, results: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is at the run; yielded once it is under way."""
    with other_process([spec], results, workers=1) as process:
        until_all_are_under_way(process, [spec])
        yield process


def execute(specs, results, **options):
    events = []
    outcomes = LocalExecutor(TRAIN).execute(specs, ExecutionOptions(results, 2, **options), events.append)
    return outcomes, events


def attempts(spec, results: Path) -> int:
    return sum(entry.state == "finished" for entry in RunFolder.of(spec, results).read().status.history)


def test_fault_d_a_run_is_taken_over_when_its_owner_is_killed(tmp_path):
    held, mine = run_spec("nothing", 0, 100_000), run_spec("nothing", 7)
    with at_it_elsewhere(held, tmp_path) as process:
        threading.Timer(3.0, process.kill).start()
        stop = StopRequest()
        events = []

        def on_event(event):
            events.append(event)
            if isinstance(event, RunStarted) and event.spec.path == held.path:
                stop.request()  # it is long

        held_outcome, my_outcome = LocalExecutor(TRAIN).execute(
            [held, mine], ExecutionOptions(tmp_path, 2, stop=stop), on_event
        )
    assert my_outcome == Outcome(mine, "finished")
    assert held_outcome.ending == "interrupted"
    (waiting,) = [event for event in events if isinstance(event, RunHeld)]
    assert waiting.spec == held
    assert "in use by process " in waiting.reason
    assert events.index(waiting) < [isinstance(e, RunStarted) and e.spec.path == held.path for e in events].index(True)


def test_fault_d_a_run_that_finishes_elsewhere_is_not_trained_here(tmp_path):
    spec = run_spec("nothing", 0, 150)
    with at_it_elsewhere(spec, tmp_path):
        outcomes, events = execute([spec], tmp_path)
    assert outcomes == [Outcome(spec, "finished", elsewhere=True)]
    assert [type(event) for event in events] == [RunHeld, RunEnded]
    assert RunFolder.of(spec, tmp_path).read().status.state == "finished"


def test_a_run_that_was_finished_since_the_plan_was_made_is_not_started(tmp_path):
    spec = run_spec("nothing")
    assert execute([spec], tmp_path)[0] == [Outcome(spec, "finished")]
    assert execute([spec], tmp_path)[0] == [Outcome(spec, "finished", elsewhere=True)]
    assert execute([spec], tmp_path, fresh=True)[0] == [Outcome(spec, "finished")]


def test_fault_d_without_waiting_the_runs_of_others_are_left_alone(tmp_path):
    spec = run_spec("nothing", 0, 100_000)
    with at_it_elsewhere(spec, tmp_path):
        (outcome,), events = execute([spec], tmp_path, wait=False)
    assert outcome.ending == "claimed"
    assert outcome.error.startswith("in use by process ")
    assert [type(event) for event in events] == [RunEnded]


def test_a_request_to_stop_ends_the_waiting(tmp_path):
    spec, stop = run_spec("nothing"), StopRequest()
    write_claim(RunFolder.of(spec, tmp_path).path / "claim", elsewhere())
    threading.Timer(1.0, stop.request).start()
    (outcome,), _ = execute([spec], tmp_path, stop=stop)
    assert outcome.ending == "claimed"


def test_fault_b_the_loser_of_a_run_leaves_it_to_the_winner_and_waits(tmp_path):
    """The claim is taken away while the run is under way here, as if this process had been stopped."""
    spec = run_spec("nothing", 0, 400)
    folder, events, winner = RunFolder.of(spec, tmp_path), [], elsewhere()

    def take_over():
        while not (folder.path / "seen.json").exists():
            time.sleep(0.05)
        write_claim(folder.path / "claim", winner)
        folder.set_state("running", attempts=2)

    threading.Thread(target=take_over).start()
    stop = StopRequest()

    def on_event(event):
        events.append(event)
        if isinstance(event, RunHeld):
            stop.request()

    (outcome,) = LocalExecutor(TRAIN).execute([spec], ExecutionOptions(tmp_path, 1, stop=stop), on_event)
    assert outcome.ending == "claimed"
    (lost,) = [event for event in events if isinstance(event, RunHeld)]
    assert "this run was taken over by process" in lost.reason
    status = folder.read().status
    assert (status.state, status.attempts) == ("running", 2)
    assert folder.holder == winner
    assert not folder.error_log.exists()


class Hesitant(RunExecutor):
    """An executor that leaves each run to others until it is asked again, as one does that submits jobs."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def execute(self, specs, options, on_event):
        self.asked.append([spec.path for spec in specs])
        ending = "claimed" if len(self.asked) == 1 else "finished"
        outcomes = [Outcome(spec, ending, "in use by process 1 on node7" if ending == "claimed" else "") for spec in specs]
        for outcome in outcomes:
            on_event(RunEnded(outcome))
        return outcomes


def test_fault_d_what_any_executor_leaves_to_others_is_carried_out_once_it_is_free(tmp_path):
    spec, events, executor = run_spec("nothing"), [], Hesitant()
    outcomes = execute_plan(executor, [spec], ExecutionOptions(tmp_path), events.append)
    assert outcomes == [Outcome(spec, "finished")]
    assert executor.asked == [[spec.path], [spec.path]]
    assert events == [RunHeld(spec, "in use by process 1 on node7"), RunEnded(Outcome(spec, "finished"))]
    (outcome,) = execute_plan(Hesitant(), [spec], ExecutionOptions(tmp_path, wait=False), events.append)
    assert outcome.ending == "claimed"


def test_passwords_of_storages_do_not_reach_the_processes_of_plugins(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_STORAGE", "postgresql://me:secret@host/db")
    monkeypatch.setenv("PGPASSWORD", "secret")
    spec = run_spec("nothing")
    assert execute([spec], tmp_path)[0] == [Outcome(spec, "finished")]
    assert "secret" not in str(seen(spec, tmp_path)["environment"])
    assert without_passwords({"HOME": "/h", "PGPASSWORD": "x"}) == {"HOME": "/h"}


def test_passwords_of_storages_do_not_reach_the_process_that_measures(monkeypatch):
    monkeypatch.setenv("HARNESS_STORAGE", "postgresql://me:secret@host/db")
    monkeypatch.setenv("PGPASSWORD", "secret")
    with measuring_process() as process:
        assert process.submit(os.getenv, "PATH").result() == os.environ["PATH"]
        assert [process.submit(os.getenv, name).result() for name in sorted(SECRET_VARIABLES)] == [None] * len(
            SECRET_VARIABLES
        )
