"""What a job does: train its runs with the executor ``local`` of its node, and be queued again when Slurm says stop.

Slurm signals every process of a job. Here the signals are blocked, in the processes that train as well, which inherit that
until they can handle them; one thread waits for them and has the runs save and stop.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import dataclass
from types import FrameType

from submitit.core.job_environment import JobEnvironment
from submitit.helpers import DelayedSubmission

from harness.execution.assignment import Assignment, train_assigned
from harness.execution.stopping import StopRequest

_REQUEUE: signal.Signals = getattr(signal, f"SIG{JobEnvironment.USR_SIG}")
"""The signal before the time limit, on which submitit queues the job again."""

_SECONDS_TO_BE_KILLED = 900.0
"""How long a job that was told to end waits to be ended; a preemption's grace time is shorter."""


@dataclass(frozen=True)
class TrainingJob:
    """The runs of one job, called by submitit on the node.

    Attributes:
        content: A `harness.execution.assignment.Assignment` as JSON.
        save_seconds: Time between the signal and the time limit, most of which runs have to save in.
    """

    content: str
    save_seconds: int = 120

    def __call__(self) -> None:
        """Train the runs; what becomes of each is in its folder, and nothing is returned."""
        signals = _StopSignals(0.75 * self.save_seconds)
        try:
            outcomes = train_assigned(Assignment.model_validate_json(self.content), signals.request)
        except KeyboardInterrupt:  # they took too long
            signals.obey()
            raise
        if any(outcome.ending == "interrupted" for outcome in outcomes):
            signals.obey()
        if failures := [f"{each.spec.label}: {each.error}" for each in outcomes if each.ending != "finished"]:
            sys.exit("\n".join(failures))

    def checkpoint(self) -> DelayedSubmission:
        """What is to be called when the job was queued again: the same, since every run goes on from its folder."""
        return DelayedSubmission(self)


class _StopSignals:
    """The signals by which Slurm stops a job: they have its runs save and stop.

    Args:
        patience: Seconds that saving may take; then the runs are interrupted as by Ctrl-C.

    Attributes:
        request: The request that the signals make.
    """

    def __init__(self, patience: float) -> None:
        self.request = StopRequest()
        self._patience = patience
        self._waited_for = {_REQUEUE, signal.SIGTERM}
        self._received: list[int] = []
        self._by_submitit = signal.getsignal(_REQUEUE)
        self._over = threading.Event()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in self._waited_for:  # threads of numerical libraries that are there already do not block them
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._waited_for)
        self._signalled = threading.Event()
        threading.Thread(target=self._wait_for_signal, name="stop-signals", daemon=True).start()
        threading.Thread(target=self._wait_for_runs, name="stop-patience", daemon=True).start()

    def obey(self) -> None:
        """After everything has stopped: be queued again, or wait for the end that Slurm has announced.

        A preempted job is ended, and queued again, by Slurm itself, or gets the other signal in a moment. If this process
        ended first, the job would count as done.
        """
        self._over.set()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        give_up = time.monotonic() + _SECONDS_TO_BE_KILLED
        while _REQUEUE not in self._received and time.monotonic() < give_up:
            if signal.sigtimedwait({_REQUEUE}, 1.0):
                self._received.append(_REQUEUE)
        if _REQUEUE in self._received and callable(self._by_submitit):
            self._by_submitit(_REQUEUE, None)

    def _wait_for_signal(self) -> None:
        self._on_signal(signal.sigwait(self._waited_for), None)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._received.append(number)
        self.request.request()
        self._signalled.set()

    def _wait_for_runs(self) -> None:
        self._signalled.wait()
        main = threading.main_thread().ident
        if not self._over.wait(self._patience) and main is not None:
            signal.pthread_kill(main, signal.SIGINT)
