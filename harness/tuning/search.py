"""One call of tuning: the search until its budget is spent, the confirmation of the best trials, and the settings found."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optuna.trial import TrialState

from harness.errors import ResultsError
from harness.execution.events import Outcome, RunEvent
from harness.execution.executor import ExecutionOptions, SessionExecutor, load_tuning_executor
from harness.execution.stopping import StopRequest
from harness.runs.guarded import is_folder, may, reason_of
from harness.runs.status import RunSummary, read_plan
from harness.spec import RunSpec
from harness.tuning import best, confirm
from harness.tuning.confirm import CandidateComparison
from harness.tuning.parameters import Values
from harness.tuning.record import write_study_record
from harness.tuning.request import TuneRequest
from harness.tuning.storage import open_storage
from harness.tuning.study import FINISHED, Limit, StudyDefinition, TuningStudy
from harness.tuning.tuner import OnTrialEvent, StopReason, TrialEnded, TrialEvent, tune

_RECORD_SECONDS = 10.0
_RECORD_INTERVAL_FACTOR = 50.0  # times what writing takes: a study of many trials is recorded less often


@dataclass(frozen=True)
class StudySummary:
    """How far a study is, over all processes and restarts.

    Attributes:
        limit: Number of trials of its budget; ``None`` without a limit.
        counts: Number of trials that have ended, by state.
        best: Number and score of the best finished trial; ``None`` before there is one.
    """

    limit: int | None
    counts: Mapping[TrialState, int]
    best: tuple[int, float] | None

    @classmethod
    def of(cls, study: TuningStudy, limit: Limit) -> StudySummary:
        """The summary of a study as its storage has it now."""
        counts = Counter(trial.state for trial in study.trials() if trial.state in FINISHED)
        found = study.best_trial()
        return cls(limit.trials, dict(counts), (found.number, found.values[0]) if found else None)


@dataclass(frozen=True)
class StudyOpened:
    """The study was opened, and the search begins.

    Attributes:
        definition: What the study searches.
        runs_per_trial: Number of runs of each trial.
        storage: Where the study is kept, without passwords.
        dashboard_url: What ``optuna-dashboard`` opens, without passwords.
        default_outside: Whether the suite's own settings lie outside the search space, so that no trial has them.
        summary: How far the study was before.
    """

    definition: StudyDefinition
    runs_per_trial: int
    storage: str
    dashboard_url: str
    default_outside: bool
    summary: StudySummary


@dataclass(frozen=True)
class SearchEnded:
    """No further trial is begun.

    Attributes:
        reason: Why the search has ended.
        summary: How far the study is.
    """

    reason: StopReason
    summary: StudySummary


@dataclass(frozen=True)
class ConfirmationStarted:
    """The best trials are about to be run again on fresh seeds.

    Attributes:
        runs: All runs of the confirmation, those that are finished included.
    """

    runs: Sequence[RunSummary]


@dataclass(frozen=True)
class ConfirmationEnded:
    """The runs that confirm have ended, each with its outcome."""

    outcomes: Sequence[Outcome]


TuneEvent = StudyOpened | TrialEvent | SearchEnded | ConfirmationStarted | RunEvent | ConfirmationEnded
OnTuneEvent = Callable[[TuneEvent], None]


@dataclass(frozen=True)
class TuneResult:
    """What came of a study.

    Attributes:
        request: What was asked for.
        stop_reason: Why the search ended: ``complete``, ``time``, ``failing`` or ``interrupted``.
        summary: How far the study is.
        elsewhere: Number of trials that other processes have under way; nothing is confirmed before they have ended.
        compared: The confirmed trials and the suite's own settings, each compared with the latter.
        verdict: Whether tuning helped, in a sentence; empty where nothing was to be confirmed.
        outcomes: How each run that confirms ended in this call.
        confirmed: Whether all runs that confirm are finished.
        settings_file: The file with the settings found; ``None`` if there are none yet.
        unwritten: A sentence for each file that could not be written at the end; the study itself is kept in its storage.
    """

    request: TuneRequest
    stop_reason: StopReason
    summary: StudySummary
    elsewhere: int = 0
    compared: Sequence[CandidateComparison] = ()
    verdict: str = ""
    outcomes: Sequence[Outcome] = ()
    confirmed: bool = True
    settings_file: Path | None = None
    unwritten: Sequence[str] = ()

    @property
    def interrupted(self) -> bool:
        """Whether the search or a run that confirms was stopped before its end."""
        return self.stop_reason == "interrupted" or any(outcome.ending == "interrupted" for outcome in self.outcomes)

    @property
    def failed(self) -> bool:
        """Whether the study is not whole.

        That is so if trials failed one after another, if none finished or others still have some, if a run that confirms is
        not finished, or if a file could not be written.
        """
        return self.stop_reason == "failing" or self.settings_file is None or not self.confirmed or bool(self.unwritten)


def search_settings(request: TuneRequest, on_event: OnTuneEvent, stop: StopRequest) -> TuneResult:
    """Run a study until its budget is spent, confirm its best trials, and write the settings found.

    Raises:
        UserError: Something cannot be used; nothing was started.
        StorageLost: The storage cannot be reached any more; every trial that ended before is kept.
        KeyboardInterrupt: The runs under way go on from their last checkpoints; `SearchEnded` was sent.
    """
    definition = StudyDefinition.from_plan(request.plan, request.method, request.study)
    executor = load_tuning_executor(request.executor, request.plan.registry)
    if request.out is not None:
        _check_out(request.out)
    stall = request.plan.suite.stall_seconds
    requested = ExecutionOptions(
        request.results,
        request.workers,
        request.device,
        stop=stop,
        stall=stall,
        wait=request.wait,
        config=request.plan.executor_config(request.executor),
    )
    options = executor.preflight(definition.specs({}), requested)
    handle = open_storage(request.storage, request.folder / "journal.log")
    try:
        search = _Search(request, TuningStudy(definition, handle, request.outage_seconds), executor, on_event)
        return search.run(options)
    finally:
        handle.close()


def _check_out(out: Path) -> None:
    """Refuse before the search what could not be written after it."""
    if not is_folder(out.parent):
        raise ResultsError(f"--out {out}: there is no folder {out.parent}")
    if is_folder(out):
        raise ResultsError(f"--out {out}: is a folder; name a file in it")
    if not may(out.parent, os.W_OK | os.X_OK):
        raise ResultsError(f"--out {out}: nothing may be written in {out.parent}")


class _Search:
    """One call of `search_settings`, its study open."""

    def __init__(self, request: TuneRequest, study: TuningStudy, executor: SessionExecutor, on_event: OnTuneEvent) -> None:
        self._request, self._study, self._executor, self._on_event = request, study, executor, on_event
        self._unwritten: dict[str, None] = {}

    def run(self, options: ExecutionOptions) -> TuneResult:
        """Search and confirm."""
        study, request = self._study, self._request
        self._options = options
        self._on_event(self._opened())
        try:
            reason = tune(
                study,
                request.results,
                self._executor.open_session(options),
                budget=request.budget,
                workers=options.workers or 1,
                on_event=self._recording(),
                stop=options.stop,
                wait=request.wait,
            )
            self._write_record()
            self._on_event(SearchEnded(reason, self._summary()))
            return TuneResult(request, reason, self._summary()) if reason == "interrupted" else self._confirm(reason)
        except KeyboardInterrupt:
            self._write_record()
            self._on_event(SearchEnded("interrupted", self._summary()))
            raise

    def _opened(self) -> StudyOpened:
        study = self._study
        return StudyOpened(
            definition=study.definition,
            runs_per_trial=len(study.specs),
            storage=study.handle.label,
            dashboard_url=study.handle.dashboard_url,
            default_outside=study.definition.space.default() is None and not study.trials(),
            summary=self._summary(),
        )

    def _summary(self) -> StudySummary:
        return StudySummary.of(self._study, self._request.budget.limit)

    def _recording(self) -> OnTrialEvent:
        """Rewrite the record in the study's folder from time to time as trials end."""
        due = time.monotonic() + _RECORD_SECONDS

        def on_event(event: TrialEvent) -> None:
            nonlocal due
            self._on_event(event)
            began = time.monotonic()
            if isinstance(event, TrialEnded) and began >= due:
                self._write_record()
                ended = time.monotonic()
                due = ended + max(_RECORD_SECONDS, _RECORD_INTERVAL_FACTOR * (ended - began))

        return on_event

    def _confirm(self, reason: StopReason) -> TuneResult:
        study, request = self._study, self._request
        elsewhere = sum(trial.state not in FINISHED for trial in study.trials()) if reason == "complete" else 0
        if elsewhere or study.best_trial() is None:
            return TuneResult(request, reason, self._summary(), elsewhere, unwritten=tuple(self._unwritten))
        compared: Sequence[CandidateComparison] = ()
        outcomes: Sequence[Outcome] = ()
        verdict, confirmed = "", True
        options = study.definition.options
        if options.confirm:
            found = confirm.candidates(study, options.confirm)
            outcomes = self._train([spec for one in found for spec in one.specs])
            confirmations = confirm.read_confirmations(found, request.results)
            self._write_record(confirmations)
            compared = confirm.compare(study.name, options.metric, confirmations)
            verdict, confirmed = confirm.verdict(compared), all(one.complete for one in confirmations)
        file = request.settings_file if self._wrote_settings(compared) else None
        unwritten = tuple(self._unwritten)
        return TuneResult(request, reason, self._summary(), 0, compared, verdict, outcomes, confirmed, file, unwritten)

    def _write_record(self, confirmations: Sequence[confirm.Confirmation] = ()) -> None:
        """Write the record in the study's folder; that it cannot be written stops no search, for the storage has it all."""
        folder = self._request.folder
        try:
            write_study_record(self._study, folder, confirmations)
        except OSError as error:
            self._unwritten[f"{folder}: the record of the study cannot be written ({reason_of(error)})"] = None

    def _train(self, specs: Sequence[RunSpec]) -> Sequence[Outcome]:
        """Train the runs that confirm, beside other processes that may do so too."""
        request = self._request
        summaries = read_plan(specs, request.results).runs  # those that cannot be used fail by name
        todo = [run.spec for run in summaries if run.state != "finished"]
        if not todo:
            return ()
        options = replace(self._options, workers=request.workers)
        if request.workers is None:  # a number that was asked for was checked before the search
            options = self._executor.preflight(todo, options)
        self._on_event(ConfirmationStarted(summaries))
        outcomes = self._executor.execute(todo, options, self._on_event)
        self._on_event(ConfirmationEnded(outcomes))
        return outcomes

    def _wrote_settings(self, compared: Sequence[CandidateComparison]) -> bool:
        """Write the settings found; false if they cannot be written."""
        request, study = self._request, self._study
        found = study.best_trial()
        assert found is not None
        suite = request.plan.suite
        chosen = confirm.recommended(compared)
        whose = f"method {request.method} in suite {suite.suite}"
        if chosen is not None:
            values: Values = chosen.confirmation.settings
            comments = [
                f"Settings of {whose}, found by study {study.name}.",
                f"{chosen.confirmation.label}, the best of those that helped on fresh seeds.",
                confirm.verdict(compared),
            ]
        elif study.definition.options.confirm:
            values = {}
            comments = [
                f"The suite's own settings of {whose}: study {study.name} found none that were shown to be better.",
                confirm.verdict(compared),
                f"For the record, trial {found.number} had the highest tuned score, {found.values[0]:.3f}, with"
                f" {json.dumps(found.params)}",
            ]
        else:
            values = found.params
            comments = [
                f"Settings of {whose}, found by study {study.name}.",
                f"Trial {found.number}, not confirmed: its score of {found.values[0]:.3f} is the best of many, so too high.",
            ]
        if request.plan.file is not None:
            comments.append(f"harness run {request.plan.file} --set @{request.settings_file}")
        try:
            request.settings_file.parent.mkdir(parents=True, exist_ok=True)
            best.write_best(request.settings_file, study.definition, values, comments)
        except OSError as error:
            file, reason = request.settings_file, reason_of(error)
            self._unwritten[f"{file}: the settings found cannot be written ({reason}); give another file with --out"] = None
            return False
        return True
