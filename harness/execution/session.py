"""Worker sessions: runs that are started, watched and stopped one by one; and the loop that trains a whole plan with one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from harness.execution.events import OnRunEvent, Outcome, RunEnded, RunEvent, RunHeld, RunStarted, StopRequested
from harness.execution.held_runs import HeldRuns
from harness.execution.run_queue import RunQueue, settle
from harness.execution.stopping import POLL_SECONDS, StopRequest
from harness.spec import RunSpec


class WorkerSession(ABC):
    """Workers that train runs until the session is closed.

    Tuning needs one, because it decides which run comes next from the scores so far and stops runs that are not worth
    finishing.
    """

    @property
    @abstractmethod
    def running(self) -> int:
        """The number of runs under way."""

    @abstractmethod
    def start(self, spec: RunSpec) -> None:
        """Begin to train a run. The caller keeps to the number of workers."""

    @abstractmethod
    def wait(self, timeout: float | None = None) -> list[RunEvent]:
        """Wait for events of runs and return them; an empty list after ``timeout`` seconds.

        Beside progress and endings they are `harness.execution.events.RunQuiet`, where a session knows of it.
        """

    @abstractmethod
    def request_stop(self) -> tuple[RunSpec, ...]:
        """Ask every run under way to save at its next update and stop there, and return these runs.

        `wait` returns the ending of each, which is ``interrupted`` unless the run had another just then.
        """

    @abstractmethod
    def stop(self, spec: RunSpec) -> None:
        """Stop a run that is under way at once; it goes on from its last checkpoint, and no event of it follows."""

    @abstractmethod
    def release_idle(self) -> None:
        """Give back workers that have no run; called when no further run is ready to start."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything at once; the runs under way go on from their last checkpoints."""


def train_all(
    session: WorkerSession,
    specs: Sequence[RunSpec],
    results: Path,
    workers: int,
    on_event: OnRunEvent,
    stop: StopRequest | None = None,
    *,
    wait: bool = True,
    fresh: bool = False,
) -> list[Outcome]:
    """Train every run in a session, which is left open.

    Args:
        session: The session to train in.
        specs: The runs, in the order in which they should start. A run waits for the one that it begins from.
        results: The results directory.
        workers: Number of runs at a time.
        on_event: Called in this thread.
        stop: Looked at all the time; once it is made, the runs under way save and stop, and no other is started.
        wait: Whether runs that other processes have are waited for, and trained here if their owners die.
        fresh: Whether the session starts runs over, so that finished ones are trained as well.

    Returns:
        One outcome per run, in the order of ``specs``.
    """
    held = HeldRuns(results, fresh=fresh)
    loop = _TrainingLoop(session, RunQueue(specs), held, results, on_event, stop or StopRequest(), wait=wait)
    outcomes = loop.run(workers)
    return [outcomes[spec.path] for spec in specs]


class _TrainingLoop:
    """The runs of one call of `train_all`."""

    def __init__(
        self,
        session: WorkerSession,
        queue: RunQueue,
        held: HeldRuns,
        results: Path,
        on_event: OnRunEvent,
        stop: StopRequest,
        *,
        wait: bool,
    ) -> None:
        self._session, self._queue, self._held, self._results = session, queue, held, results
        self._on_event, self._stop, self._wait = on_event, stop, wait
        self._stopping = False
        self._outcomes: dict[str, Outcome] = {}

    def run(self, workers: int) -> dict[str, Outcome]:
        """Start runs and wait for them until there is none left; return the outcomes by the path of the run."""
        while True:
            self._start(workers)
            if not self._session.running and not self._held:
                return self._outcomes
            for event in self._next_events():
                if isinstance(event, RunEnded):
                    self._record_outcome(event.outcome)
                    self._start(workers)
                else:
                    self._on_event(event)

    def _next_events(self) -> list[RunEvent]:
        if self._session.running:
            return self._session.wait(POLL_SECONDS)
        time.sleep(POLL_SECONDS)  # everything that is left is in other hands
        return []

    def _start(self, workers: int) -> None:
        """Start runs that are ready while fewer than ``workers`` are running, then release idle workers."""
        if self._stop.requested and not self._stopping:
            self._begin_to_stop()
        self._look_at_held()
        while self._session.running < workers and (spec := self._queue.next()):
            if (outcome := self._held.settled(spec)) is not None:
                self._record_outcome(outcome)
            else:
                self._session.start(spec)
                self._on_event(RunStarted(spec))
        if self._session.running < workers:
            self._session.release_idle()

    def _look_at_held(self) -> None:
        """Take note of what has become of the runs that others had."""
        for spec, outcome in self._held.look():
            if outcome is not None:
                self._record_outcome(outcome)
            else:
                self._queue.put_back(spec)

    def _begin_to_stop(self) -> None:
        self._stopping = True
        for outcome in [*self._queue.drop_all(), *self._held.drop_all()]:
            self._outcomes[outcome.spec.path] = outcome
        self._on_event(StopRequested(self._session.request_stop()))

    def _record_outcome(self, outcome: Outcome) -> None:
        if outcome.ending == "claimed" and self._wait and not self._stopping:
            self._held.add(outcome.spec)
            self._on_event(RunHeld(outcome.spec, outcome.error))
            return
        for each in settle(self._queue, outcome, self._results):
            self._outcomes[each.spec.path] = each
            self._on_event(RunEnded(each))
