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

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from harness.errors import ResultsError, RunError, SuiteError
from harness.execution.events import Outcome, RunEnded, RunEvent, RunProgressed, RunQuiet, StopRequested
from harness.execution.session import WorkerSession
from harness.execution.stopping import POLL_SECONDS, StopRequest
from harness.spec import RunSpec
from harness.tuning.active_trial import ActiveTrial
from harness.tuning.optuna_internals import trial_id
from harness.tuning.parameters import Value
from harness.tuning.study import ClaimedTrial, Limit, TuningStudy

MAX_CONSECUTIVE_FAILURES = 5
"""Trials that may fail one after another before the search gives up."""

_ASK_AGAIN_SECONDS = 5.0
_CLAIMED_SECONDS = 2.0


class StorageLost(RunError):
    """The storage cannot be reached any more."""


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


TrialEvent = TrialStarted | TrialProgressed | TrialEnded | TrialLeft | RunQuiet | StopRequested
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

    Returns:
        ``complete``: the limit is reached, though others may still be at its last trials; ``time``: the seconds are over;
        ``failing``: `MAX_CONSECUTIVE_FAILURES` trials failed one after another; ``interrupted``: ``stop`` was made.

    Raises:
        StorageLost: The storage cannot be reached any more.
        KeyboardInterrupt: The runs under way are stopped at once, and go on from their last checkpoints.
    """
    tuner = _Tuner(study, results, session, on_event or (lambda event: None), stop or StopRequest())
    try:
        return tuner.run(budget, workers)
    except (SQLAlchemyError, StorageInternalError) as error:
        raise StorageLost(
            f"storage {study.handle.label} cannot be reached any more ({type(error).__name__}); everything so far is kept,"
            " and the same command goes on from there"
        ) from None
    finally:
        session.close()
        tuner.release_trials()


class _Tuner:
    def __init__(
        self, study: TuningStudy, results: Path, session: WorkerSession, on_event: OnTrialEvent, stop: StopRequest
    ) -> None:
        self._study, self._results, self._session, self._on_event, self._stop = study, results, session, on_event, stop
        self._active: dict[str, ActiveTrial] = {}  # by the path of the run under way
        self._deferred: list[tuple[float, ActiveTrial]] = []  # whose run others hold, or that stopped
        self._next_ask = 0.0
        self._consecutive_failures = 0

    def run(self, budget: Budget, workers: int) -> StopReason:
        deadline = time.monotonic() + budget.seconds if budget.seconds is not None else float("inf")
        while not self._stop.requested:
            self._retry_deferred()
            while (
                self._active_count < workers
                and time.monotonic() >= self._next_ask
                and self._consecutive_failures < MAX_CONSECUTIVE_FAILURES
            ):
                if not self._claim_next(budget.limit):
                    self._next_ask = time.monotonic() + _ASK_AGAIN_SECONDS
            if not self._active_count:
                return "failing" if self._consecutive_failures >= MAX_CONSECUTIVE_FAILURES else "complete"
            if time.monotonic() >= deadline:
                return "time"
            for event in self._session.wait(min(POLL_SECONDS, max(deadline - time.monotonic(), 0.0))):
                self._handle(event)
        return self._wait_until_stopped()

    def _wait_until_stopped(self) -> StopReason:
        """Have the runs under way save and stop; nothing else is started."""
        self._on_event(StopRequested(self._session.request_stop()))
        while self._session.running:
            for event in self._session.wait(POLL_SECONDS):
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
        left = [*self._active.values(), *(active for _, active in self._deferred)]
        for active in left:
            with suppress(SQLAlchemyError, StorageInternalError, OSError):
                self._study.trial_claims.release(trial_id(active.claimed.trial))
        for active in left:
            if active.spec is not None:
                self._on_event(TrialLeft(active.number, active.spec))

    @property
    def _active_count(self) -> int:
        return len(self._active) + len(self._deferred)

    def _claim_next(self, limit: Limit) -> bool:
        claimed = self._study.ask(limit)
        if claimed is None:
            return False
        self._on_event(TrialStarted(claimed.trial.number, claimed.values, claimed.resumed))
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
        else:
            self._active[active.spec.path] = active
            self._session.start(active.spec)

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
            case "claimed":  # the owner that seemed dead is alive: wait for its result
                self._deferred.append((time.monotonic() + _CLAIMED_SECONDS, active))
            case "interrupted":  # where only its worker was asked to stop, another one goes on
                self._deferred.append((time.monotonic() + _CLAIMED_SECONDS, active))
            case "failed":
                self._fail_trial(active.claimed, active.attributes(), f"{outcome.spec.label}: {outcome.error}")

    def _retry_deferred(self) -> None:
        due = [active for at, active in self._deferred if at <= time.monotonic()]
        self._deferred = [(at, active) for at, active in self._deferred if active not in due]
        for active in due:
            self._continue(active)

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
        self._on_event(TrialEnded(claimed.trial.number, TrialState.FAIL, None, claimed.values, error))

    def _on_lost_trial(self, active: ActiveTrial) -> None:
        """Another process considered this one dead and ended the trial."""
        self._study.trial_claims.release(trial_id(active.claimed.trial))
        self._on_event(TrialEnded(active.number, TrialState.FAIL, None, active.claimed.values, "another worker ended it"))
