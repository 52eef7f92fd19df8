"""A pool of worker processes, each of which trains one run at a time.

A worker that dies, however it dies, takes only its run with it. A run is asked to stop where there is time for it to save;
otherwise its worker is killed: run folders are written so that a kill at any instant leaves them resumable.
"""

from __future__ import annotations

import itertools
import selectors
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from harness.execution.attempt import TRAIN, record_failure, record_interruption
from harness.execution.capacity import threads_of
from harness.execution.events import Outcome, RunEnded, RunEvent, RunProgressed
from harness.execution.session import WorkerSession
from harness.execution.silence import Silence
from harness.execution.worker_process import WorkerProcess, describe_exit
from harness.runs.progress import RunProgress
from harness.spec import RunSpec

_EXIT_TIMEOUT_SECONDS = 30.0
_LOOK_SECONDS = 1.0


class WorkerPool(WorkerSession):
    """Worker processes on this machine, one per concurrent run.

    Args:
        results: The results directory.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: Start over what is there instead of resuming it.
        stall: Seconds without any progress after which a run is stopped as failed; ``None`` for never.
        train: Import path of the function that trains a run.
        trackers: Settings of the trackers that follow each run, as JSON, by name.
    """

    def __init__(
        self,
        results: Path,
        *,
        device: str = "auto",
        fresh: bool = False,
        stall: float | None = None,
        train: str = TRAIN,
        trackers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._results = Path(results)
        # Absolute, because a run may change the working directory of its process.
        self._job: dict[str, Any] = {
            "results": str(self._results.absolute()),
            "device": device,
            "fresh": fresh,
            "train": train,
        }
        self._job |= {"trackers": dict(trackers)} if trackers else {}
        self._selector = selectors.DefaultSelector()
        self._idle: list[WorkerProcess] = []
        self._busy: dict[str, WorkerProcess] = {}
        self._silence = Silence(stall)

    @property
    def running(self) -> int:
        """Runs under way."""
        return len(self._busy)

    def start(self, spec: RunSpec) -> None:
        """Train a run in a worker: an idle one with the right number of threads, else a new one."""
        threads = threads_of(spec)
        self._stop_workers(worker for worker in list(self._idle) if worker.threads != threads)
        worker = self._idle.pop() if self._idle else self._start_worker(threads)
        self._busy[spec.path] = worker
        self._silence.forget(worker)
        worker.send_job(spec, self._job)

    def wait(self, timeout: float | None = None) -> list[RunEvent]:
        """Wait for events and return them; an empty list after ``timeout`` seconds."""
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            found: list[RunEvent] = []
            for key, _ in self._selector.select(max(min(deadline - time.monotonic(), _LOOK_SECONDS), 0)):
                found += self._read_events(cast(WorkerProcess, key.fileobj))
            found += self._check_silent_runs()
            if found or time.monotonic() >= deadline:
                return found

    def request_stop(self) -> tuple[RunSpec, ...]:
        """Ask every run under way to save at its next update and stop there."""
        for worker in self._busy.values():
            worker.request_stop()
        return tuple(worker.spec for worker in self._busy.values() if worker.spec)

    def stop(self, spec: RunSpec) -> None:
        """Kill the worker of a run, which stays resumable."""
        self._discard(self._busy.pop(spec.path))
        record_interruption(spec, self._results)

    def adopt(self, other: WorkerPool) -> None:
        """Take over the idle workers of another pool, which is closed."""
        for worker in other._idle:
            other._selector.unregister(worker)
            self._selector.register(worker, selectors.EVENT_READ)
            self._idle.append(worker)
        other._idle = []
        other.close()

    def release_idle(self) -> None:
        """Stop the idle workers."""
        self._stop_workers(list(self._idle))

    def close(self) -> None:
        """Stop all workers; the runs in progress stay resumable."""
        workers = [cast(WorkerProcess, key.fileobj) for key in self._selector.get_map().values()]
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.close()
            if worker.spec:
                record_interruption(worker.spec, self._results)
        self._selector.close()

    def _start_worker(self, threads: int) -> WorkerProcess:
        taken = {other.slot for other in (*self._idle, *self._busy.values())}
        worker = WorkerProcess(threads, next(slot for slot in itertools.count() if slot not in taken))
        self._selector.register(worker, selectors.EVENT_READ)
        return worker

    def _stop_workers(self, workers: Iterable[WorkerProcess]) -> None:
        for worker in workers:
            self._idle.remove(worker)
            self._discard(worker)

    def _discard(self, worker: WorkerProcess, timeout: float = 0.0) -> int:
        """Stop a worker that is neither idle nor busy any more; returns its exit code."""
        self._selector.unregister(worker)
        code = worker.stop(timeout)
        worker.close()
        return code

    def _read_events(self, worker: WorkerProcess) -> list[RunEvent]:
        messages = worker.read()
        if messages is None:
            return self._handle_exit(worker)
        return [self._take(worker, message) for message in messages]

    def _take(self, worker: WorkerProcess, message: dict[str, Any]) -> RunEvent:
        assert worker.spec is not None
        if "progress" in message:
            worker.progress = RunProgress(**message["progress"])
            if not worker.progress.notice:  # a notice says that it waits, not that it goes on
                worker.last_progress = worker.last_heard
            return RunProgressed(worker.spec, worker.progress)
        ended = RunEnded(Outcome(worker.spec, message["ending"], message["error"]))
        del self._busy[worker.spec.path]
        worker.spec = None
        if message["leaving"]:
            self._discard(worker)
        else:
            self._idle.append(worker)
        return ended

    def _handle_exit(self, worker: WorkerProcess) -> list[RunEvent]:
        """A worker exited unexpectedly: its run has failed."""
        cause = describe_exit(self._discard(worker, _EXIT_TIMEOUT_SECONDS))
        if worker.spec is None:
            self._idle.remove(worker)
            return []
        return [self._fail(worker, worker.spec, cause)]

    def _check_silent_runs(self) -> Iterator[RunEvent]:
        events, stalled = self._silence.check(self._busy.values())
        yield from events
        for worker, cause in stalled:
            assert worker.spec is not None
            worker.dump_stacks()
            self._discard(worker)
            yield self._fail(worker, worker.spec, cause)

    def _fail(self, worker: WorkerProcess, spec: RunSpec, cause: str) -> RunEnded:
        """Record that the run of a worker that is gone has failed."""
        del self._busy[spec.path]
        return RunEnded(record_failure(spec, self._results, cause, f"{cause}\n\n{worker.log_tail()}"))
