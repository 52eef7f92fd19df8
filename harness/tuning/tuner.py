"""The loop that keeps workers busy with trials until the budget is spent.

One process asks and tells for all its workers: each of them trains one run of one trial at a time, and the trials of other
processes and machines come and go in the same storage.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from harness.errors import ResultsError, SuiteError
from harness.execution.events import Outcome, RunEnded, RunEvent, RunProgressed, RunQuiet, StopRequested
from harness.execution.held_runs import HeldRuns
from harness.execution.session import WorkerSession
from harness.execution.stopping import POLL_SECONDS, StopRequest
from harness.spec import RunSpec
from harness.tuning.active_trial import ActiveTrial
from harness.tuning.optuna_internals import trial_id, trial_number
from harness.tuning.outages import STORAGE_ERRORS, OutageEvent, StorageLost
from harness.tuning.parameters import Value
from harness.tuning.study import ClaimedTrial, Limit, TuningStudy

MAX_CONSECUTIVE_FAILURES = 5
"""Trials that may fail one after another before the search gives up."""

_ASK_AGAIN_SECONDS = 5.0
_CLAIMED_SECONDS = 2.0


@dataclass(frozen=True)
class TrialStarted:
    """A trial was claimed."""

    number: int
    values: dict[str, Value]
    resumed: bool


@dataclass(frozen=True)
class TrialProgressed:
    """A trial made progress: the fraction that is done, and its score so far."""

    number: int
    fraction_done: float
    score: float | None


@dataclass(frozen=True)
class TrialEnded:
    """A trial is over; `values` only if it is complete."""

    number: int
    state: TrialState
    values: list[float] | None
    settings: dict[str, Value]
    error: str = ""


@dataclass(frozen=True)
class TrialLeft:
    """A trial is left under way; this is the run that it goes on with, from what the disk holds of it."""

    number: int
    run: RunSpec


@dataclass(frozen=True)
class TrialsElsewhere:
    """Nothing is left to begin here: trials that other processes have are waited for, and taken over if these die.

    Attributes:
        count: Number of these trials.
    """

    count: int


TrialEvent = TrialStarted | TrialProgressed | TrialEnded | TrialLeft | TrialsElsewhere | OutageEvent | RunQuiet | StopRequested
OnTrialEvent = Callable[[TrialEvent], None]
StopReason = Literal["complete", "time", "failing", "interrupted"]


@dataclass(frozen=True)
class Budget:
    """When to stop.

    Attributes:
        limit: Limit of the study, over all processes and restarts.
        seconds: Longest time of this call; what is under way then stays resumable. ``None`` for no bound.
    """

    limit: Limit = field(default_factory=Limit)
    seconds: float | None = None


def tune(
    study: TuningStudy,
    results: Path,
    session: WorkerSession,
    *,
    budget: Budget,
    workers: int = 1,
    on_event: OnTrialEvent | None = None,
    stop: StopRequest | None = None,
    wait: bool = True,
) -> StopReason:
    """Run trials until the budget is spent.

    Args:
        study: The study whose trials are trained.
        results: The results directory.
        session: The workers that train the runs of trials; it is closed when the search ends.
        budget: When to stop.
        workers: Number of trials at a time.
        on_event: Called in this thread.
        stop: Looked at all the time; once it is made, the runs under way save and stop, and no other is started.
        wait: Whether to wait for the last trials that others have, and to take them over if their owners die.

    Returns:
        ``complete``: the limit is reached, though without ``wait`` others may be at its last trials; ``time``: the seconds
        are over; ``failing``: `MAX_CONSECUTIVE_FAILURES` trials failed one after another; ``interrupted``: ``stop`` was made.

    Raises:
        StorageLost: The storage was away for longer than an outage is waited out.
        KeyboardInterrupt: The runs under way are stopped at once, and go on from their last checkpoints.
    """
    on_event = on_event or _ignore
    tuner = _Tuner(study, results, session, on_event, stop or StopRequest(), wait=wait)
    try:
        with study.outages.handled_by(on_event, tuner.pass_time):
            return tuner.run(budget, workers)
    except STORAGE_ERRORS as error:
        raise study.outages.lost(error) from None
    finally:
        session.close()
        tuner.release_trials()


def _ignore(event: TrialEvent) -> None:
    """Nobody listens."""


class _Tuner:
    def __init__(
        self,
        study: TuningStudy,
        results: Path,
        session: WorkerSession,
        on_event: OnTrialEvent,
        stop: StopRequest,
        *,
        wait: bool,
    ) -> None:
        self._study, self._results, self._session = study, results, session
        self._on_event, self._stop, self._wait = on_event, stop, wait
        self._held = HeldRuns(results)
        self._active: dict[str, ActiveTrial] = {}  # by the path of the run under way
        self._deferred: list[tuple[float, ActiveTrial]] = []  # whose run stopped, or another trial here is at
        self._others: dict[str, ActiveTrial] = {}  # whose run other processes have
        self._backlog: list[RunEvent] = []  # what came while the storage was away
        self._elsewhere = 0
        self._next_ask = 0.0
        self._consecutive_failures = 0

    def run(self, budget: Budget, workers: int) -> StopReason:
        deadline = time.monotonic() + budget.seconds if budget.seconds is not None else float("inf")
        try:
            while not self._stop.requested:
                self._retry_deferred()
                self._claim_trials(budget.limit, workers)
                if reason := self._reason_to_end(deadline):
                    return reason
                for event in self._next_events(min(POLL_SECONDS, max(deadline - time.monotonic(), 0.0))):
                    self._handle(event)
        except StorageLost:
            if not self._stop.requested:
                raise
        return self._wait_until_stopped()

    def _claim_trials(self, limit: Limit, workers: int) -> None:
        while self._active_count < workers and self._consecutive_failures < MAX_CONSECUTIVE_FAILURES and self._may_ask:
            if not self._claim_next(limit):
                self._next_ask = time.monotonic() + _ASK_AGAIN_SECONDS
                self._look_elsewhere()
                break

    @property
    def _may_ask(self) -> bool:
        """Whether to ask for a trial now: from time to time, and where nothing is known to wait for."""
        return time.monotonic() >= self._next_ask or not (self._active_count or self._elsewhere)

    def _look_elsewhere(self) -> None:
        """Count the trials that other processes have and that are to be waited for."""
        count = self._study.unfinished() if self._wait and not self._active_count else 0
        if count and count != self._elsewhere:
            self._on_event(TrialsElsewhere(count))
        self._elsewhere = count

    def _reason_to_end(self, deadline: float) -> StopReason | None:
        if not self._active_count:
            if self._consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
                return "failing"
            if not self._elsewhere:
                return "complete"
        return "time" if time.monotonic() >= deadline else None

    def _next_events(self, seconds: float) -> list[RunEvent]:
        if self._backlog:
            backlog, self._backlog = self._backlog, []
            return backlog
        if self._session.running:
            return self._session.wait(seconds)
        time.sleep(seconds)
        return []

    def pass_time(self, seconds: float) -> bool:
        """Let time pass while the storage is away, in which runs go on; false once they are to stop."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self._stop.requested:
            if not self._session.running:
                time.sleep(min(POLL_SECONDS, left))
                continue
            for event in self._session.wait(min(POLL_SECONDS, left)):
                if isinstance(event, RunProgressed):  # the newest says it all
                    self._backlog = [old for old in self._backlog if not _is_progress_of(old, event.spec)]
                self._backlog.append(event)
        return not self._stop.requested

    def _wait_until_stopped(self) -> StopReason:
        """Have the runs under way save and stop; nothing else is started."""
        self._on_event(StopRequested(self._session.request_stop()))
        while self._session.running or self._backlog:
            for event in self._next_events(POLL_SECONDS):
                with suppress(StorageLost):  # what ended while it was away is found in the folders next time
                    self._handle(event)
        return "interrupted"

    def _handle(self, event: RunEvent) -> None:
        match event:
            case RunProgressed(spec, progress):
                self._on_progress(spec.path, progress.step)
            case RunEnded(outcome):
                self._on_run_ended(outcome)
            case RunQuiet():
                self._on_event(event)
            case _:
                pass

    def release_trials(self) -> None:
        """Release the trials in progress, so that another process can take them over at once."""
        left = [*self._active.values(), *(active for _, active in self._deferred), *self._others.values()]
        for active in left:
            with suppress(*STORAGE_ERRORS, OSError):
                self._study.trial_claims.release(trial_id(active.claimed.trial))
        for active in left:
            if active.spec is not None:
                self._on_event(TrialLeft(active.number, active.spec))

    @property
    def _active_count(self) -> int:
        return len(self._active) + len(self._deferred) + len(self._others)

    def _claim_next(self, limit: Limit) -> bool:
        claimed = self._study.ask(limit)
        if claimed is None:
            return False
        self._on_event(TrialStarted(trial_number(claimed.trial), claimed.values, claimed.resumed))
        try:
            specs = self._study.definition.specs(claimed.values)
        except SuiteError as error:  # values that are each allowed and do not go together
            self._fail_trial(claimed, {}, " ".join(str(error).split()))
            return True
        self._continue(ActiveTrial(self._study, claimed, specs, self._results))
        return True

    def _continue(self, active: ActiveTrial) -> None:
        """Start the trial's next run, or end the trial."""
        try:
            active.collect_finished_runs()
        except UpdateFinishedTrialError:
            self._on_lost_trial(active)
            return
        except ResultsError as error:  # a folder of one trial stops no other
            self._fail_trial(active.claimed, active.attributes(), " ".join(str(error).split()))
            return
        if active.pruned:
            self._end_trial(active, TrialState.PRUNED)
        elif active.spec is None:
            self._end_trial(active, TrialState.COMPLETE)
        elif (
            active.spec.path in self._active or self._stop.requested
        ):  # another trial with the same values is at this very run
            self._deferred.append((time.monotonic() + _CLAIMED_SECONDS, active))
        elif (elsewhere := self._held.settled(active.spec)) and elsewhere.ending == "claimed":
            self._leave_to_others(active, active.spec)
        else:
            self._active[active.spec.path] = active
            self._session.start(active.spec)

    def _leave_to_others(self, active: ActiveTrial, spec: RunSpec) -> None:
        """Another process has the trial's run: wait for what becomes of it."""
        if spec.path in self._others:  # as another trial with the same values does already
            self._deferred.append((time.monotonic() + _CLAIMED_SECONDS, active))
        else:
            self._others[spec.path] = active
            self._held.add(spec)

    def _on_progress(self, path: str, step: int) -> None:
        active = self._active.get(path)
        if active is None or active.spec is None:
            return  # it was stopped since
        try:
            active.report_evaluations(step)
        except UpdateFinishedTrialError:
            self._stop_run(path)
            self._on_lost_trial(active)
            return
        if active.pruned:
            self._stop_run(path)
            self._end_trial(active, TrialState.PRUNED)
        else:
            self._on_event(TrialProgressed(active.number, active.fraction_done, active.score))

    def _on_run_ended(self, outcome: Outcome) -> None:
        active = self._active.pop(outcome.spec.path, None)
        if active is None:
            return
        match outcome.ending:
            case "finished":
                self._continue(active)
            case "claimed":
                self._leave_to_others(active, outcome.spec)
            case "interrupted":  # where only its worker was asked to stop, another one goes on
                self._deferred.append((time.monotonic() + _CLAIMED_SECONDS, active))
            case "failed":
                self._fail_trial(active.claimed, active.attributes(), f"{outcome.spec.label}: {outcome.error}")

    def _retry_deferred(self) -> None:
        due = [active for at, active in self._deferred if at <= time.monotonic()]
        self._deferred = [(at, active) for at, active in self._deferred if active not in due]
        for active in due:
            self._continue(active)
        for spec, outcome in self._held.look():
            self._active[spec.path] = self._others.pop(spec.path)
            if outcome is not None:
                self._on_run_ended(outcome)
            else:
                self._continue(self._active.pop(spec.path))

    def _stop_run(self, path: str) -> None:
        active = self._active.pop(path)
        assert active.spec is not None
        self._session.stop(active.spec)

    def _end_trial(self, active: ActiveTrial, state: TrialState) -> None:
        values = active.values if state == TrialState.COMPLETE else None
        if values is not None and not all(map(math.isfinite, values)):
            self._fail_trial(active.claimed, active.attributes(), "its score is not a finite number")
            return
        if self._study.tell(active.claimed.trial, values, state, active.attributes()):
            self._consecutive_failures = 0
            self._on_event(TrialEnded(active.number, state, values, active.claimed.values))
        else:
            self._on_lost_trial(active)

    def _fail_trial(self, claimed: ClaimedTrial, attributes: dict[str, object], error: str) -> None:
        self._consecutive_failures += 1
        self._study.tell(claimed.trial, None, TrialState.FAIL, {"steps": 0, **attributes, "error": error})
        self._on_event(TrialEnded(trial_number(claimed.trial), TrialState.FAIL, None, claimed.values, error))

    def _on_lost_trial(self, active: ActiveTrial) -> None:
        """Another process considered this one dead and ended the trial."""
        self._study.trial_claims.release(trial_id(active.claimed.trial))
        self._on_event(TrialEnded(active.number, TrialState.FAIL, None, active.claimed.values, "another worker ended it"))


def _is_progress_of(event: RunEvent, spec: RunSpec) -> bool:
    return isinstance(event, RunProgressed) and event.spec.path == spec.path
