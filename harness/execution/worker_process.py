"""One worker process, seen from its parent."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from harness.execution.environment import without_passwords
from harness.execution.log_tail import LogTail
from harness.execution.stopping import stop_signals_blocked
from harness.runs.folder import COMMAND_VARIABLE
from harness.runs.progress import RunProgress
from harness.spec import RunSpec
from harness.training.devices import SLOT_VARIABLE

_LOG_TIMEOUT_SECONDS = 1.0
_DUMP_SECONDS = 0.5
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

# glibc returns large blocks to the system at once and pays page faults to get them back; keeping them makes updates on
# large batches up to 1.8 times as fast with the same arithmetic. Other C libraries ignore these.
_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}


class WorkerProcess:
    """A process that trains one run after another; see `harness.execution.worker`.

    Args:
        threads: CPU threads that its numerical libraries may use; fixed when they are loaded.
        slot: Its place among those that train at a time, by which they share out GPUs.
    """

    def __init__(self, threads: int, slot: int = 0) -> None:
        self.threads, self.slot = threads, slot
        self.spec: RunSpec | None = None
        self.progress: RunProgress | None = None
        self.last_heard = self.last_progress = 0.0
        self._unread = b""
        jobs, self._jobs = os.pipe()
        self._messages, messages = os.pipe()
        log, log_end = os.pipe()
        with stop_signals_blocked():  # none may reach it before it can handle them
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harness.execution.worker", str(jobs), str(messages)],
                stdin=subprocess.DEVNULL,
                stdout=log_end,
                stderr=log_end,
                pass_fds=(jobs, messages),
                env={
                    COMMAND_VARIABLE: shlex.join(sys.argv),
                    **without_passwords(os.environ),
                    **_ALLOCATOR,
                    **dict.fromkeys(_THREAD_VARIABLES, str(threads)),
                    SLOT_VARIABLE: str(slot),
                },
            )
        for descriptor in (jobs, messages, log_end):
            os.close(descriptor)
        self._log = LogTail(log)

    def fileno(self) -> int:
        """Where its messages arrive, for a selector."""
        return self._messages

    def send_job(self, spec: RunSpec, job: dict[str, Any]) -> None:
        """Send it a run to train."""
        self.spec, self.progress = spec, None
        self.last_heard = self.last_progress = time.monotonic()
        self._log.begin()
        self._send({"spec": spec.model_dump(mode="json"), **job})

    def request_stop(self) -> None:
        """Ask it to save its run at the next update and stop it there."""
        self._send({"stop": True})

    def read(self) -> list[dict[str, Any]] | None:
        """The complete messages that have arrived, or ``None`` when there will be no more."""
        data = os.read(self._messages, 1 << 16)
        *lines, self._unread = (self._unread + data).split(b"\n")
        self.last_heard = time.monotonic()
        return [json.loads(line) for line in lines] if data else None

    def log_tail(self) -> str:
        """The tail of what it has printed during its last run; to the end if it has exited."""
        return self._log.text(_LOG_TIMEOUT_SECONDS if self._process.poll() is not None else 0.0)

    def dump_stacks(self) -> None:
        """Have it print where each of its threads is."""
        self._process.send_signal(signal.SIGUSR2)
        time.sleep(_DUMP_SECONDS)

    def stop(self, timeout: float = 0) -> int:
        """Wait up to ``timeout`` seconds for it to exit, then kill it; returns its exit code."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def close(self) -> None:
        """Close the pipes, after `stop`."""
        os.close(self._jobs)
        os.close(self._messages)

    def _send(self, message: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # it has just died, and the end of its output will report that
            data = json.dumps(message).encode() + b"\n"
            while data:
                data = data[os.write(self._jobs, data) :]


def describe_exit(code: int) -> str:
    """How a process ended, by its exit code, in a phrase."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # real-time signals have no name
        name = f"signal {-code}"
    hint = "; if nobody did so, memory ran out: try fewer --workers" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
