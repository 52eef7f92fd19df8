"""Worker processes that train what they are given, each one run after another.

A worker that dies, however it dies, takes only its run with it. Workers are killed, not asked, when a run is to stop: run
folders are written so that a kill at any instant leaves them resumable.
"""

from __future__ import annotations

import json
import os
import selectors
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
from harness.execution.events import Advanced, Ended, Event, Outcome
from harness.progress import Progress
from harness.spec import RunSpec

_LOG_TAIL_BYTES = 64 * 1024
_SECONDS_TO_DIE = 30.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

# glibc returns large blocks to the system at once and pays page faults to get them back; keeping them makes updates on
# large batches up to 1.8 times as fast with the same arithmetic. Other C libraries ignore these.
_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}


class Crew:
    """Workers on this machine, as many as there are runs at a time.

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
        """Let a worker train a run: an idle one where one suits, else a new one."""
        threads = threads_of(spec)
        self._dismiss(worker for worker in list(self._idle) if worker.threads != threads)
        worker = self._idle.pop() if self._idle else self._hire(threads)
        self._busy[spec.path] = worker
        worker.give(spec, self._job)

    def wait(self, timeout: float | None = None) -> list[Event]:
        """What has happened, as soon as something has; nothing after ``timeout`` seconds."""
        found: list[Event] = []
        for key, _ in self._selector.select(timeout):
            found += self._hear(cast(_Worker, key.fileobj))
        return found

    def stop(self, spec: RunSpec) -> None:
        """Kill the worker of a run, which stays resumable."""
        worker = self._busy.pop(spec.path)
        self._selector.unregister(worker)
        worker.end()
        record_interruption(spec, self._results)

    def dismiss_idle(self) -> None:
        """Let workers go that have nothing to do."""
        self._dismiss(list(self._idle))

    def close(self) -> None:
        """Stop whoever is still at work."""
        workers = [cast(_Worker, key.fileobj) for key in self._selector.get_map().values()]
        for worker in workers:
            worker.end()
        for worker in workers:
            if worker.spec:
                record_interruption(worker.spec, self._results)
        self._selector.close()

    def _hire(self, threads: int) -> _Worker:
        worker = _Worker(threads)
        self._selector.register(worker, selectors.EVENT_READ)
        return worker

    def _dismiss(self, workers: Iterable[_Worker]) -> None:
        for worker in workers:
            self._idle.remove(worker)
            self._selector.unregister(worker)
            worker.end()

    def _hear(self, worker: _Worker) -> list[Event]:
        messages = worker.read()
        if messages is None:
            return self._bury(worker)
        found: list[Event] = []
        for message in messages:
            assert worker.spec is not None
            if "progress" in message:
                found.append(Advanced(worker.spec, Progress(**message["progress"])))
            else:
                found.append(Ended(Outcome(worker.spec, message["ending"], message["error"])))
                del self._busy[worker.spec.path]
                worker.spec = None
                self._idle.append(worker)
        return found

    def _bury(self, worker: _Worker) -> list[Event]:
        """A worker is gone without being told to: its run has failed."""
        self._selector.unregister(worker)
        words = worker.last_words()
        cause = _cause_of_death(worker.end(_SECONDS_TO_DIE))
        if worker.spec is None:
            self._idle.remove(worker)
            return []
        del self._busy[worker.spec.path]
        return [Ended(record_failure(worker.spec, self._results, cause, f"{cause}\n\n{words}"))]


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
            env=os.environ | _ALLOCATOR | dict.fromkeys(_THREAD_VARIABLES, str(threads)),
        )

    def fileno(self) -> int:
        """Where its messages arrive, for a selector."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def give(self, spec: RunSpec, job: dict[str, Any]) -> None:
        """Let it train a run."""
        assert self._process.stdin is not None
        self.spec = spec
        self._log_start = os.fstat(self._log.fileno()).st_size
        with suppress(BrokenPipeError):  # it has just died, as its output is about to tell
            self._process.stdin.write(json.dumps({"spec": spec.model_dump(mode="json"), **job}).encode() + b"\n")
            self._process.stdin.flush()

    def read(self) -> list[dict[str, Any]] | None:
        """The complete messages that have arrived, or ``None`` when there will be no more."""
        data = os.read(self.fileno(), 1 << 16)
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [json.loads(line) for line in lines] if data else None

    def last_words(self) -> str:
        """The end of what it wrote to its standard error during its last run."""
        size = os.fstat(self._log.fileno()).st_size
        self._log.seek(max(self._log_start, size - _LOG_TAIL_BYTES))
        return self._log.read().decode(errors="replace")

    def end(self, patience: float = 0) -> int:
        """Wait for its end for some seconds, then enforce it; returns its exit code."""
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._log):
            with suppress(BrokenPipeError):
                if file is not None:
                    file.close()
        return code


def _cause_of_death(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # real-time signals have no name
        name = f"signal {-code}"
    hint = "; if nobody did so, memory ran out: try fewer --workers" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
