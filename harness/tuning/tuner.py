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

from harness.errors import RunError, SuiteError
from harness.execution.attempt import TRAIN
from harness.execution.crew import Crew
from harness.execution.events import Advanced, Ended, Outcome
from harness.tuning.parameters import Value
from harness.tuning.study import Asked, Limit, TuningStudy
from harness.tuning.work import Work

MOST_FAILURES = 5
"""Trials that may fail one after another before the search gives up."""

_ASK_AGAIN_SECONDS = 5.0
_CLAIMED_SECONDS = 2.0
_POLL_SECONDS = 1.0


class StorageLost(RunError):
    """The storage cannot be reached any more."""


@dataclass(frozen=True)
class TrialStarted:
    """A trial was taken."""

    number: int
    values: dict[str, Value]
    resumed: bool


@dataclass(frozen=True)
class TrialAdvanced:
    """A trial got further: how much of it is done, and its score so far."""

    number: int
    share: float
    score: float | None


@dataclass(frozen=True)
class TrialEnded:
    """A trial is over; `values` only if it is complete."""

    number: int
    state: TrialState
    values: list[float] | None
    settings: dict[str, Value]
    error: str = ""


TrialEvent = TrialStarted | TrialAdvanced | TrialEnded
OnTrialEvent = Callable[[TrialEvent], None]
Ending = Literal["complete", "time", "failing"]


@dataclass(frozen=True)
class Budget:
    """When to stop.

    Attributes:
        limit: Of the study, over all processes and restarts.
        seconds: Of this call; what is under way then stays resumable. ``None`` for no bound.
    """

    limit: Limit = field(default_factory=Limit)
    seconds: float | None = None


def tune(
    study: TuningStudy,
    results: Path,
    *,
    budget: Budget,
    workers: int = 1,
    device: str = "auto",
    on_event: OnTrialEvent | None = None,
    train: str = TRAIN,
) -> Ending:
    """Run trials until the budget is spent.

    Args:
        study: Whose trials.
        results: The results directory.
        budget: When to stop.
        workers: Trials at a time.
        device: ``auto``, ``cpu`` or ``cuda``.
        on_event: Called in this thread.
        train: Import path of the function that trains a run.

    Returns:
        ``complete``: the limit is reached, though others may still be at its last trials; ``time``: the seconds are over;
        ``failing``: `MOST_FAILURES` trials failed one after another.

    Raises:
        StorageLost: The storage cannot be reached any more.
        KeyboardInterrupt: Everything so far is resumable.
    """
    crew = Crew(results, device=device, train=train)
    tuner = _Tuner(study, results, crew, on_event or (lambda event: None))
    try:
        return tuner.run(budget, workers)
    except (SQLAlchemyError, StorageInternalError) as error:
        raise StorageLost(
            f"storage {study.opened.shown} cannot be reached any more ({type(error).__name__}); everything so far is kept,"
            " and the same command goes on from there"
        ) from None
    finally:
        crew.close()
        tuner.leave()


class _Tuner:
    def __init__(self, study: TuningStudy, results: Path, crew: Crew, on_event: OnTrialEvent) -> None:
        self._study, self._results, self._crew, self._tell = study, results, crew, on_event
        self._works: dict[str, Work] = {}  # by the path of the run under way
        self._later: list[tuple[float, Work]] = []  # whose run another process has claimed
        self._ask_at = 0.0
        self._failures = 0

    def run(self, budget: Budget, workers: int) -> Ending:
        deadline = time.monotonic() + budget.seconds if budget.seconds is not None else float("inf")
        while True:
            self._retry()
            while self._busy < workers and time.monotonic() >= self._ask_at and self._failures < MOST_FAILURES:
                if not self._take(budget.limit):
                    self._ask_at = time.monotonic() + _ASK_AGAIN_SECONDS
            if not self._busy:
                return "failing" if self._failures >= MOST_FAILURES else "complete"
            if time.monotonic() >= deadline:
                return "time"
            for event in self._crew.wait(min(_POLL_SECONDS, max(deadline - time.monotonic(), 0.0))):
                match event:
                    case Advanced(spec, progress):
                        self._advanced(spec.path, progress.step)
                    case Ended(outcome):
                        self._ended(outcome)

    def leave(self) -> None:
        """Give back what is under way, so that anybody may take it over at once."""
        for work in [*self._works.values(), *(work for _, work in self._later)]:
            with suppress(SQLAlchemyError, StorageInternalError, OSError):
                self._study.owners.release(work.asked.trial._trial_id)

    @property
    def _busy(self) -> int:
        return len(self._works) + len(self._later)

    def _take(self, limit: Limit) -> bool:
        asked = self._study.ask(limit)
        if asked is None:
            return False
        self._tell(TrialStarted(asked.trial.number, asked.values, asked.resumed))
        try:
            specs = self._study.problem.specs(asked.values)
        except SuiteError as error:  # values that are each allowed and do not go together
            self._fail(asked, {}, " ".join(str(error).split()))
            return True
        self._go_on(Work(self._study, asked, specs, self._results))
        return True

    def _go_on(self, work: Work) -> None:
        """Start the trial's next run, or end the trial."""
        try:
            work.catch_up()
        except UpdateFinishedTrialError:
            self._lost(work)
            return
        if work.pruned:
            self._end(work, TrialState.PRUNED)
        elif work.spec is None:
            self._end(work, TrialState.COMPLETE)
        elif work.spec.path in self._works:  # another trial with the same values is at this very run
            self._later.append((time.monotonic() + _CLAIMED_SECONDS, work))
        else:
            self._works[work.spec.path] = work
            self._crew.start(work.spec)

    def _advanced(self, path: str, step: int) -> None:
        work = self._works.get(path)
        if work is None or work.spec is None:
            return  # it was stopped since
        try:
            work.look(step)
        except UpdateFinishedTrialError:
            self._stop(path)
            self._lost(work)
            return
        if work.pruned:
            self._stop(path)
            self._end(work, TrialState.PRUNED)
        else:
            self._tell(TrialAdvanced(work.number, work.share, work.score))

    def _ended(self, outcome: Outcome) -> None:
        work = self._works.pop(outcome.spec.path, None)
        if work is None:
            return
        match outcome.ending:
            case "finished":
                self._go_on(work)
            case "claimed":  # whoever was taken for dead lives: wait for what it makes of the run
                self._later.append((time.monotonic() + _CLAIMED_SECONDS, work))
            case "failed":
                self._fail(work.asked, work.facts(), f"{outcome.spec.label}: {outcome.error}")

    def _retry(self) -> None:
        due = [work for at, work in self._later if at <= time.monotonic()]
        self._later = [(at, work) for at, work in self._later if work not in due]
        for work in due:
            self._go_on(work)

    def _stop(self, path: str) -> None:
        work = self._works.pop(path)
        assert work.spec is not None
        self._crew.stop(work.spec)

    def _end(self, work: Work, state: TrialState) -> None:
        values = work.values if state == TrialState.COMPLETE else None
        if values is not None and not all(map(math.isfinite, values)):
            self._fail(work.asked, work.facts(), "its score is not a finite number")
            return
        if self._study.tell(work.asked.trial, values, state, work.facts()):
            self._failures = 0
            self._tell(TrialEnded(work.number, state, values, work.asked.values))
        else:
            self._lost(work)

    def _fail(self, asked: Asked, facts: dict[str, object], error: str) -> None:
        self._failures += 1
        self._study.tell(asked.trial, None, TrialState.FAIL, {"steps": 0, **facts, "error": error})
        self._tell(TrialEnded(asked.trial.number, TrialState.FAIL, None, asked.values, error))

    def _lost(self, work: Work) -> None:
        """Somebody took us for dead and ended the trial."""
        self._study.owners.release(work.asked.trial._trial_id)
        self._tell(TrialEnded(work.number, TrialState.FAIL, None, work.asked.values, "another worker ended it"))
