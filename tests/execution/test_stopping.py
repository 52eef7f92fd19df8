"""Runs that are asked to stop save at their next update, whoever asks and whichever process is asked."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.fake_training import TRAIN, run_spec, seen
from support.other_process import lines_until, other_process

from harness.execution.events import Outcome, RunEnded, RunProgressed, RunQuiet, RunStarted, StopRequested
from harness.execution.executor import ExecutionOptions
from harness.execution.local import LocalExecutor
from harness.execution.silence import QUIET_SECONDS, Silence
from harness.execution.stopping import StopRequest
from harness.execution.worker_process import WorkerProcess
from harness.runs.folder import RunFolder
from harness.runs.kept import kept_step
from harness.runs.progress import RunProgress

TESTS = Path(__file__).parents[1]
LONG = 100_000
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1]


def signals(*every_day: signal.Signals) -> list[Any]:
    """All of them; those that are not tried in this way every day are among the slow tests."""
    return [pytest.param(one, id=one.name, marks=() if one in every_day else pytest.mark.slow) for one in SIGNALS]


@pytest.fixture(autouse=True)
def _workers_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def test_a_request_lets_runs_save_and_stop_and_starts_no_other(tmp_path):
    specs, stop, events = [run_spec("nothing", seed, LONG) for seed in range(4)], StopRequest(), []

    def on_event(event):
        events.append(event)
        if len({one.spec.path for one in events if isinstance(one, RunProgressed)}) == 2:
            stop.request()

    outcomes = LocalExecutor(TRAIN).execute(specs, ExecutionOptions(tmp_path, 2, stop=stop), on_event)
    assert outcomes == [
        *(Outcome(spec, "interrupted", "stopped when asked to; resumable") for spec in specs[:2]),
        *(Outcome(spec, "interrupted", "stopped before it was started") for spec in specs[2:]),
    ]
    for spec in specs[:2]:
        folder = RunFolder.of(spec, tmp_path)
        status = folder.read().status
        assert status.state == "interrupted"
        assert 0 < status.step == kept_step(folder)
    (asked,) = [event for event in events if isinstance(event, StopRequested)]
    assert list(asked.waiting) == specs[:2]
    assert [type(event) for event in events].count(RunStarted) == 2
    assert [event.outcome.ending for event in events if isinstance(event, RunEnded)] == ["interrupted"] * 2
    assert not (tmp_path / specs[2].path).exists()


def test_a_request_before_anything_is_started_starts_nothing(tmp_path):
    stop = StopRequest()
    stop.request()
    (outcome,) = LocalExecutor(TRAIN).execute(
        [run_spec("nothing")], ExecutionOptions(tmp_path, 1, stop=stop), lambda event: None
    )
    assert outcome.ending == "interrupted"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(autouse=True)
def _hang_ups_are_not_ignored() -> Iterator[None]:
    """As they are under nohup, which processes that are started here would inherit."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", signals(signal.SIGTERM, signal.SIGHUP))
def test_a_worker_that_gets_a_signal_saves_its_run_and_another_process_does_the_next(tmp_path, number):
    first, second = run_spec("nothing", 0, LONG), run_spec("nothing", 1)
    pids = set()

    def on_event(event):
        if isinstance(event, RunProgressed) and event.spec == first and not pids:
            pids.add(seen(first, tmp_path)["pid"])
            os.kill(*pids, number)

    outcomes = LocalExecutor(TRAIN).execute([first, second], ExecutionOptions(tmp_path, 1), on_event)
    assert [outcome.ending for outcome in outcomes] == ["interrupted", "finished"]
    folder = RunFolder.of(first, tmp_path)
    assert kept_step(folder) == folder.read().status.step > 0
    assert seen(second, tmp_path)["pid"] not in pids


@pytest.mark.parametrize("number", signals(signal.SIGINT, signal.SIGUSR1))
def test_a_signal_to_the_whole_group_loses_nothing(tmp_path, number):
    specs = [run_spec("nothing", seed, LONG) for seed in range(2)]
    with other_process(specs, tmp_path) as process:
        lines_until(process, "RunProgressed")
        while sum(RunFolder.of(spec, tmp_path).record_file.exists() for spec in specs) < 2:
            time.sleep(0.02)
        os.killpg(process.pid, number)
        assert lines_until(process, "interrupted interrupted")
        assert process.wait(20) == 0
    for spec in specs:
        folder = RunFolder.of(spec, tmp_path)
        assert kept_step(folder) == folder.read().status.step > 0


def test_a_group_that_is_signalled_while_its_workers_load_is_stopped_as_well(tmp_path):
    with other_process([run_spec("nothing", 0, LONG)], tmp_path) as process:
        lines_until(process, "RunStarted")
        os.killpg(process.pid, signal.SIGINT)
        assert lines_until(process, "interrupted")
    folder = RunFolder.of(run_spec("nothing", 0, LONG), tmp_path)
    assert not folder.error_log.exists()
    assert folder.state() == "interrupted"


def test_a_second_signal_stops_at_once_what_does_not_come_to_an_update(tmp_path):
    specs = [run_spec("sleeps_for_ever", 0), run_spec("nothing", 1, LONG)]
    with other_process(specs, tmp_path) as process:
        lines_until(process, "RunProgressed")
        while not RunFolder.of(specs[0], tmp_path).record_file.exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        lines_until(process, "StopRequested", "RunEnded")
        workers = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        assert lines_until(process, "at once")
        assert psutil.wait_procs(workers, timeout=10)[1] == []
    assert [RunFolder.of(spec, tmp_path).state() for spec in specs] == ["interrupted", "interrupted"]
    assert kept_step(RunFolder.of(specs[0], tmp_path)) is None


def test_runs_from_python_are_stopped_by_another_thread(tmp_path):
    stop = StopRequest()
    threading.Timer(1.0, stop.request).start()
    (outcome,) = LocalExecutor(TRAIN).execute(
        [run_spec("nothing", 0, LONG)], ExecutionOptions(tmp_path, 1, stop=stop), lambda event: None
    )
    assert outcome.ending == "interrupted"


class SilentWorker(WorkerProcess):
    """Has a run and says nothing."""

    def __init__(self) -> None:
        self.spec, self.progress = run_spec("nothing"), None
        self.last_heard = self.last_progress = 0.0


def test_fault_j_a_run_that_is_not_heard_of_is_noticed_again_and_again_but_seldom():
    now = 0.0
    silence, worker = Silence(None, lambda: now), SilentWorker()
    notices = []
    for second in range(4 * int(QUIET_SECONDS) + 1):
        now = float(second)
        notices += silence.check([worker])[0]
    assert notices == [RunQuiet(worker.spec, seconds, None) for seconds in (300.0, 600.0, 1200.0)]
    worker.last_heard, worker.progress = now, RunProgress(5, 10, 1.0)
    now += QUIET_SECONDS / 2
    assert silence.check([worker]) == ([], [])
    while not (found := silence.check([worker])[0]):
        now += 5
    assert found == [RunQuiet(worker.spec, QUIET_SECONDS, worker.progress)]


def test_stall_does_not_count_the_time_in_which_everything_was_suspended():
    now = 0.0
    silence, worker = Silence(600.0, lambda: now), SilentWorker()
    now = 5.0
    assert silence.check([worker]) == ([], [])
    now = 5000.0
    assert silence.check([worker]) == ([], [])
    for second in range(5001, 5700):
        now = float(second)
        stalled = silence.check([worker])[1]
        if stalled:
            break
    assert now == 5595.0
    assert stalled[0][0] is worker
