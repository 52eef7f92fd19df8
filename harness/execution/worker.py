"""A process that trains one run after another: ``python -m harness.execution.worker JOBS MESSAGES``.

The arguments are numbers of pipes that belong to nobody else: jobs and requests to stop come in on one, messages go out on the
other, one JSON object a line. Standard input is empty, and what the training code prints goes into a log that the parent keeps
the end of. The process ends when its jobs do, and with its parent.

Signals that ask a process to end are blocked in all its threads, and so in the processes that environments start: a whole
process group may get them, as from a terminal, systemd or Slurm. One thread waits for them and has the run save and stop.
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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from harness.execution.attempt import attempt
from harness.execution.process_state import ProcessState
from harness.execution.stopping import STOP_SIGNALS, StopRequest
from harness.spec import RunSpec

Message = dict[str, Any]

DUMP_SIGNAL = signal.SIGUSR2
"""On this signal a worker writes into its log where each of its threads is."""

_PR_SET_PDEATHSIG = 1


@dataclass
class Job:
    """A run to train, and the request to stop it.

    Attributes:
        content: Arguments of `harness.execution.attempt.attempt`.
        stop: The request to stop this run.
        signalled: Whether this very process was asked to end.
    """

    content: Message
    stop: StopRequest = field(default_factory=StopRequest)
    signalled: bool = False


class Inbox:
    """What comes in: jobs, in their order, and requests to stop the newest of them."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._newest: Job | None = None

    def next_job(self) -> Job:
        """Wait for the next job and return it."""
        return self._jobs.get()

    def read(self, source: TextIO) -> None:
        """Take in messages until there are no more, and then end the process."""
        for line in source:
            message: Message = json.loads(line)
            if "spec" in message:
                self._newest = Job(message)
                self._jobs.put(self._newest)
            elif self._newest is not None:
                self._newest.stop.request()
        os._exit(0)  # the parent is gone; a kill leaves it resumable, and so does this

    def wait_for_signals(self, numbers: set[signal.Signals]) -> None:
        """Take each of these signals as a request to stop the run and then to leave; without a run nothing need be saved."""
        while True:
            signal.sigwait(numbers)
            if (job := self._newest) is not None:
                job.signalled = True
                job.stop.request()


def main(jobs: int, messages: int) -> None:
    """Work until there is no more input.

    Args:
        jobs: File descriptor of the pipe that jobs come from.
        messages: File descriptor of the pipe that messages go to.
    """
    _die_with_parent()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    faulthandler.enable()
    faulthandler.register(DUMP_SIGNAL, all_threads=True)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {DUMP_SIGNAL})  # a job of Slurm holds it back from processes that start
    inbox = Inbox()
    channel = os.fdopen(_private(messages), "w", encoding="utf-8")
    _in_background(inbox.read, os.fdopen(_private(jobs), encoding="utf-8"))
    # Under nohup a closed terminal is to stop nothing, which is inherited.
    _in_background(inbox.wait_for_signals, {one for one in STOP_SIGNALS if signal.getsignal(one) != signal.SIG_IGN})
    clean = ProcessState.now()
    while True:
        job = inbox.next_job()
        run_job(job, channel, clean)


def run_job(job: Job, channel: TextIO, clean: ProcessState) -> None:
    """Train a run and report its progress and ending.

    Args:
        job: The run; its content is used up.
        channel: Where messages go.
        clean: The state of the process in which each run must begin. Where it has become another one, or the process was asked
            to end, it does so after the run, and says so with the ending.
    """

    def send(message: Message) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    content = job.content
    spec = RunSpec.model_validate(content.pop("spec"))
    results = Path(content.pop("results"))
    stop = job.stop
    outcome = attempt(
        spec, results, report=lambda progress: send({"progress": asdict(progress)}), stop=lambda: stop.requested, **content
    )
    gc.collect()  # the run's networks hang together in cycles, and must go before those of the next one come
    leaving = job.signalled or ProcessState.now() != clean
    send({"ending": outcome.ending, "error": outcome.error, "leaving": leaving})
    if leaving:
        os._exit(0)


def _private(descriptor: int) -> int:
    """Keep a descriptor from the processes that environments start."""
    os.set_inheritable(descriptor, False)
    return descriptor


def _in_background(function: Any, *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _die_with_parent() -> None:
    """Where the kernel offers it: even native code that never returns to Python must not outlive the parent."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
