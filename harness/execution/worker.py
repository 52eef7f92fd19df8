"""A process that trains one run after another: ``python -m harness.execution.worker``.

Jobs come in on standard input and messages go out on standard output, one JSON object a line. What the training code
itself prints goes to standard error instead. The process ends when its input does, and with its parent.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import os
import queue
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from harness.execution.attempt import attempt
from harness.spec import RunSpec

Message = dict[str, Any]

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Work until there is no more input."""
    _die_with_parent()
    # Ctrl-C reaches the whole process group; it is the parent that stops its workers.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    faulthandler.enable()
    channel = _open_message_channel()
    jobs: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read_jobs, args=(sys.stdin, jobs), daemon=True).start()
    while True:
        _run_job(jobs.get(), channel)


def _run_job(job: Message, channel: TextIO) -> None:
    def send(message: Message) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    spec = RunSpec.model_validate(job.pop("spec"))
    results = Path(job.pop("results"))
    outcome = attempt(spec, results, report=lambda progress: send({"progress": asdict(progress)}), **job)
    gc.collect()  # the run's networks hang together in cycles, and must go before those of the next one come
    send({"ending": outcome.ending, "error": outcome.error})


def _read_jobs(source: TextIO, jobs: queue.SimpleQueue[Message]) -> None:
    for line in source:
        jobs.put(json.loads(line))
    os._exit(0)  # the parent is gone; a kill leaves it resumable, and so does this


def _open_message_channel() -> TextIO:
    """Standard output for messages alone: whatever else writes to it, native libraries included, lands in the log."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _die_with_parent() -> None:
    """Where the kernel offers it: even native code that never returns to Python must not outlive the parent."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    main()
