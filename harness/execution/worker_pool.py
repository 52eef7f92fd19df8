"""A pool of worker processes, each of which trains one run at a time.

A worker that dies, however it dies, takes only its run with it. Workers are killed, not asked, when a run is to stop: run
folders are written so that a kill at any instant leaves them resumable.
"""

from __future__ import annotations

import json
import os
import selectors
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from harness.execution.attempt import TRAIN, record_failure, record_interruption
from harness.execution.capacity import threads_of
from harness.execution.events import Outcome, RunEnded, RunEvent, RunProgressed
from harness.execution.session import WorkerSession
from harness.runs.folder import COMMAND_VARIABLE
from harness.runs.progress import RunProgress
from harness.spec import RunSpec

_LOG_TAIL_BYTES = 64 * 1024
_EXIT_TIMEOUT_SECONDS = 30.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

# glibc returns large blocks to the system at once and pays page faults to get them back; keeping them makes updates on
# large batches up to 1.8 times as fast with the same arithmetic. Other C libraries ignore these.
_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}


class WorkerPool(WorkerSession):
    """Worker processes on this machine, one per concurrent run.

    Args:
        results: The results directory.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: Start over what is there instead of resuming it.
        train: Import path of the function that trains a run.
    """

    def __init__(self, results: Path, *, device: str = "auto", fresh: bool = False, train: str = TRAIN) -> None:
        self._results = Path(results)
        self._job = {"results": str(results), "device": device, "fresh": fresh, "train": train}
        self._selector = selectors.DefaultSelector()
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}

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
        worker.send_job(spec, self._job)

    def wait(self, timeout: float | None = None) -> list[RunEvent]:
        """Wait for events and return them; an empty list after ``timeout`` seconds."""
        found: list[RunEvent] = []
        for key, _ in self._selector.select(timeout):
            found += self._read_events(cast(_Worker, key.fileobj))
        return found

    def stop(self, spec: RunSpec) -> None:
        """Kill the worker of a run, which stays resumable."""
        worker = self._busy.pop(spec.path)
        self._selector.unregister(worker)
        worker.stop()
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
        workers = [cast(_Worker, key.fileobj) for key in self._selector.get_map().values()]
        for worker in workers:
            worker.stop()
        for worker in workers:
            if worker.spec:
                record_interruption(worker.spec, self._results)
        self._selector.close()

    def _start_worker(self, threads: int) -> _Worker:
        worker = _Worker(threads)
        self._selector.register(worker, selectors.EVENT_READ)
        return worker

    def _stop_workers(self, workers: Iterable[_Worker]) -> None:
        for worker in workers:
            self._idle.remove(worker)
            self._selector.unregister(worker)
            worker.stop()

    def _read_events(self, worker: _Worker) -> list[RunEvent]:
        messages = worker.read()
        if messages is None:
            return self._handle_exit(worker)
        found: list[RunEvent] = []
        for message in messages:
            assert worker.spec is not None
            if "progress" in message:
                found.append(RunProgressed(worker.spec, RunProgress(**message["progress"])))
            else:
                found.append(RunEnded(Outcome(worker.spec, message["ending"], message["error"])))
                del self._busy[worker.spec.path]
                worker.spec = None
                self._idle.append(worker)
        return found

    def _handle_exit(self, worker: _Worker) -> list[RunEvent]:
        """A worker exited unexpectedly: its run has failed."""
        self._selector.unregister(worker)
        stderr = worker.stderr_tail()
        cause = _describe_exit(worker.stop(_EXIT_TIMEOUT_SECONDS))
        if worker.spec is None:
            self._idle.remove(worker)
            return []
        del self._busy[worker.spec.path]
        return [RunEnded(record_failure(worker.spec, self._results, cause, f"{cause}\n\n{stderr}"))]


class _Worker:
    """One worker process, seen from its parent.

    Args:
        threads: CPU threads that its numerical libraries may use; fixed when they are loaded.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.spec: RunSpec | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the worker
        self._log_start = 0
        self._unread = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.execution.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={
                COMMAND_VARIABLE: shlex.join(sys.argv),
                **os.environ,
                **_ALLOCATOR,
                **dict.fromkeys(_THREAD_VARIABLES, str(threads)),
            },
        )

    def fileno(self) -> int:
        """Where its messages arrive, for a selector."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def send_job(self, spec: RunSpec, job: dict[str, Any]) -> None:
        """Send it a run to train."""
        assert self._process.stdin is not None
        self.spec = spec
        self._log_start = os.fstat(self._log.fileno()).st_size
        with suppress(BrokenPipeError):  # it has just died, and the end of its output will report that
            self._process.stdin.write(json.dumps({"spec": spec.model_dump(mode="json"), **job}).encode() + b"\n")
            self._process.stdin.flush()

    def read(self) -> list[dict[str, Any]] | None:
        """The complete messages that have arrived, or ``None`` when there will be no more."""
        data = os.read(self.fileno(), 1 << 16)
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [json.loads(line) for line in lines] if data else None

    def stderr_tail(self) -> str:
        """The tail of its standard error during its last run."""
        size = os.fstat(self._log.fileno()).st_size
        self._log.seek(max(self._log_start, size - _LOG_TAIL_BYTES))
        return self._log.read().decode(errors="replace")

    def stop(self, timeout: float = 0) -> int:
        """Wait up to ``timeout`` seconds for it to exit, then kill it; returns its exit code."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._log):
            with suppress(BrokenPipeError):
                if file is not None:
                    file.close()
        return code


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # real-time signals have no name
        name = f"signal {-code}"
    hint = "; if nobody did so, memory ran out: try fewer --workers" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
