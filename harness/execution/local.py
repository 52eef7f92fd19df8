"""The executor ``local``: worker processes on this machine, each training one run after another.

A worker that dies, however it dies, takes only its run with it and is replaced. Workers are killed, not asked, when
everything is to stop: run folders are written so that a kill at any instant leaves them resumable.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from harness.execution.attempt import TRAIN, record_failure, record_interruption
from harness.execution.backlog import Backlog
from harness.execution.capacity import default_workers, threads_of
from harness.execution.events import Advanced, Ended, OnEvent, Outcome, Started
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


def execute(
    specs: Sequence[RunSpec],
    *,
    results: Path,
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
    on_event: OnEvent | None = None,
    train: str = TRAIN,
) -> list[Outcome]:
    """Train every run; see `harness.execution.events.Execute`.

    Args:
        specs: The runs, in the order in which they should start.
        results: The results directory.
        workers: Processes; ``None`` for one per core, or fewer where memory is short.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: Start over what is there instead of resuming it.
        on_event: Called in this thread.
        train: Import path of the function that trains a run.
    """
    job = {"results": str(results), "device": device, "fresh": fresh, "train": train}
    pool = _Pool(specs, Path(results), job, on_event or (lambda event: None))
    try:
        return pool.run(workers or default_workers(specs))
    finally:
        pool.close()


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


class _Pool:
    """The workers of one call of `execute`, and what is left for them to do."""

    def __init__(self, specs: Sequence[RunSpec], results: Path, job: dict[str, Any], on_event: OnEvent) -> None:
        self._specs, self._results, self._job, self._on_event = specs, results, job, on_event
        self._backlog = Backlog(specs)
        self._outcomes: dict[str, Outcome] = {}
        self._selector = selectors.DefaultSelector()

    def run(self, workers: int) -> list[Outcome]:
        while True:
            self._start(workers)
            if not self._selector.get_map():
                return [self._outcomes[spec.path] for spec in self._specs]
            for key, _ in self._selector.select():
                self._hear(cast(_Worker, key.fileobj))

    def close(self) -> None:
        """Stop whoever is still at work."""
        workers = [cast(_Worker, key.fileobj) for key in self._selector.get_map().values()]
        for worker in workers:
            worker.end()
        for worker in workers:
            if worker.spec:
                record_interruption(worker.spec, self._results)
        self._selector.close()

    def _start(self, workers: int) -> None:
        """Start workers while there are fewer than wanted and runs that need not wait."""
        while len(self._selector.get_map()) < workers and (spec := self._backlog.next()):
            worker = _Worker(threads_of(spec))
            self._selector.register(worker, selectors.EVENT_READ)
            self._give(worker, spec)

    def _next(self, worker: _Worker) -> None:
        """Give the next run to a worker; one that does not suit it, or for which there is none, is dismissed."""
        spec = self._backlog.next()
        if spec is None or worker.threads != threads_of(spec):
            self._selector.unregister(worker)
            worker.end()
            if spec is None:
                return
            worker = _Worker(threads_of(spec))
            self._selector.register(worker, selectors.EVENT_READ)
        self._give(worker, spec)

    def _give(self, worker: _Worker, spec: RunSpec) -> None:
        worker.give(spec, self._job)
        self._on_event(Started(spec))

    def _hear(self, worker: _Worker) -> None:
        messages = worker.read()
        if messages is None:
            self._bury(worker)
            return
        for message in messages:
            assert worker.spec is not None
            if "progress" in message:
                self._on_event(Advanced(worker.spec, Progress(**message["progress"])))
            else:
                self._ended(Outcome(worker.spec, message["ending"], message["error"]))
                worker.spec = None
                self._next(worker)

    def _bury(self, worker: _Worker) -> None:
        """A worker is gone without being told to: its run has failed."""
        self._selector.unregister(worker)
        words = worker.last_words()
        cause = _cause_of_death(worker.end(_SECONDS_TO_DIE))
        if worker.spec:
            self._ended(record_failure(worker.spec, self._results, cause, f"{cause}\n\n{words}"))

    def _ended(self, outcome: Outcome) -> None:
        for each in (outcome, *self._backlog.end(outcome)):
            if each is not outcome and each.ending == "failed":
                record_failure(each.spec, self._results, each.error, each.error)
            self._outcomes[each.spec.path] = each
            self._on_event(Ended(each))


def _cause_of_death(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # real-time signals have no name
        name = f"signal {-code}"
    hint = "; if nobody did so, memory ran out: try fewer --workers" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
