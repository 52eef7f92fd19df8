"""A session that trains in this process, for tests of what is asked of runs and not of the processes that carry them."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from harness.execution.attempt import attempt, record_interruption
from harness.execution.events import RunEnded, RunEvent, RunProgressed
from harness.execution.session import WorkerSession
from harness.runs.progress import RunProgress
from harness.spec import RunSpec


class _Killed(BaseException):
    """Ends a run where it is, as the end of its process would."""


class _Run:
    """A run in a thread, which goes on to its next event only when that is asked for."""

    def __init__(self, spec: RunSpec, results: Path, train: str) -> None:
        self._spec, self._results, self._train = spec, results, train
        self._events: queue.SimpleQueue[RunEvent] = queue.SimpleQueue()
        self._turn, self._killed = threading.Semaphore(0), False
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def next_event(self) -> RunEvent:
        self._turn.release()
        return self._events.get()

    def kill(self) -> None:
        self._killed = True
        self._turn.release()
        self._thread.join()

    def _go(self) -> None:
        try:
            self._wait_for_turn()
            outcome = attempt(self._spec, self._results, device="cpu", report=self._report, train=self._train)
        except _Killed:
            return
        self._events.put(RunEnded(outcome))

    def _report(self, progress: RunProgress) -> None:
        self._events.put(RunProgressed(self._spec, progress))
        self._wait_for_turn()

    def _wait_for_turn(self) -> None:
        self._turn.acquire()
        if self._killed:
            raise _Killed


class InProcess(WorkerSession):
    """Every look for events lets each run go on to its next one.

    Args:
        results: The results directory.
        train: Import path of the function that trains a run.
    """

    def __init__(self, results: Path, train: str) -> None:
        self._results, self._train = results, train
        self._runs: dict[str, tuple[RunSpec, _Run]] = {}

    @property
    def running(self) -> int:
        return len(self._runs)

    def start(self, spec: RunSpec) -> None:
        self._runs[spec.path] = spec, _Run(spec, self._results, self._train)

    def wait(self, timeout: float | None = None) -> list[RunEvent]:
        found = [run.next_event() for _, run in self._runs.values()]
        for event in found:
            if isinstance(event, RunEnded):
                del self._runs[event.outcome.spec.path]
        return found

    def request_stop(self) -> tuple[RunSpec, ...]:
        raise NotImplementedError("who is to save is tried with processes")

    def stop(self, spec: RunSpec) -> None:
        _, run = self._runs.pop(spec.path)
        run.kill()
        record_interruption(spec, self._results)

    def release_idle(self) -> None:
        """There are none."""

    def close(self) -> None:
        for spec, _ in list(self._runs.values()):
            self.stop(spec)
