"""Running a study, and what is printed before, while and after it runs."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from harness.cli.display import words
from harness.cli.display.catalogue import print_parameters
from harness.cli.display.console import open_console
from harness.cli.display.progress import progress_view
from harness.cli.display.progress_state import SuiteProgress
from harness.cli.display.tuning import StudyProgress, print_confirmation, study_view
from harness.cli.launch import check_device, check_writable, replay_bytes_of, stop_on_signals
from harness.errors import ResultsError
from harness.execution.attempt import TRAIN
from harness.execution.capacity import default_workers
from harness.execution.forecast import forecast
from harness.execution.local import execute
from harness.execution.replay_memory import workers_that_fit
from harness.registry import installed
from harness.runs.folder import COMMAND_VARIABLE
from harness.runs.status import summarise_plan
from harness.spec import RunSpec
from harness.suites.model import Suite
from harness.tuning import best, confirm
from harness.tuning.record import write_study_record
from harness.tuning.scores import own_steps
from harness.tuning.storage import masked_arguments, open_storage
from harness.tuning.study import FINISHED, Limit, StudyDefinition, TuningStudy
from harness.tuning.trials import study_folder
from harness.tuning.tuner import Budget, OnTrialEvent, StorageLost, TrialEnded, TrialEvent, tune

if TYPE_CHECKING:
    from harness.tuning.confirm import CandidateComparison

_RECORD_SECONDS = 10.0
_RECORD_INTERVAL_FACTOR = 50.0  # times what writing takes: a study of many trials is recorded less often


@dataclass(frozen=True)
class TuneRequest:
    """The arguments of one ``harness tune`` call.

    Attributes:
        suite: As loaded; its ``tune`` block holds what the command line said.
        file: The suite's file.
        method: Whose settings.
        study: Name of the study.
        storage: As given; may hold a password.
        results: The results directory.
        out: Where to write the settings found; ``None`` for the study's folder.
        workers: Trials at a time; ``None`` for one per core.
        device: ``auto``, ``cpu`` or ``cuda``.
        max_steps: Of all trials together.
        seconds: Of this call.
        trials_given: Whether the number of trials is a limit, which it is unless only another budget was given.
        train: Import path of the function that trains a run.
    """

    suite: Suite
    file: Path
    method: str
    study: str
    storage: str | None
    results: Path
    out: Path | None
    workers: int | None
    device: str
    max_steps: int | None
    seconds: float | None
    trials_given: bool
    train: str = TRAIN

    @property
    def folder(self) -> Path:
        """Where the study leaves everything."""
        return study_folder(self.results, self.suite.suite, self.study)

    @property
    def best(self) -> Path:
        """Where the settings found are written."""
        return self.out or self.folder / best.BEST_FILE

    @property
    def limit(self) -> Limit:
        """The budget of the study."""
        return Limit(self.suite.tune.trials if self.trials_given else None, self.max_steps)


def print_tuning_plan(request: TuneRequest) -> None:
    """Print what is searched and what it will take, and start nothing."""
    definition = StudyDefinition.from_suite(request.suite, request.method, request.study, installed())
    console, options = open_console(), request.suite.tune
    print_parameters(console, f"search space of {request.method}", definition.space)
    specs = definition.specs({})
    with console.status("measuring how fast the method is"):
        from harness.training.estimate import estimate

        one = forecast(summarise_plan(specs, request.results), lambda spec: estimate(spec, request.device), 1)
    workers = request.workers or default_workers(specs)
    trials = (
        "trials until the budget is spent" if request.limit.trials is None else words.plural(request.limit.trials, "trial")
    )
    runs = f"{trials} of {words.plural(len(specs), 'run')}, {words.count(sum(map(own_steps, specs)))} steps each"
    again = len(specs) // options.seeds * options.confirm_seeds * (options.confirm + 1) if options.confirm else 0
    total = ""
    if request.limit.trials is not None:
        trial = sum(group.seconds_from_scratch for group in one.cells)
        seconds = (trial * request.limit.trials + trial / len(specs) * again) / workers
        total = f"; about {words.duration(seconds)} with {words.plural(workers, 'worker')}, nothing pruned"
    console.print(f"{runs}, then {words.plural(again, 'run')} to confirm{total}", soft_wrap=True)


def launch_tuning(request: TuneRequest) -> int:
    """Run the study until its budget is spent, confirm its best trials, and print the result.

    Returns:
        The exit code.

    Raises:
        UserError: Something cannot be used; nothing was started.
    """
    definition = StudyDefinition.from_suite(request.suite, request.method, request.study, installed())
    check_device(request.device)
    if request.out is not None and not request.out.parent.is_dir():
        raise ResultsError(f"--out {request.out}: there is no folder {request.out.parent}")
    handle = open_storage(request.storage, request.folder / "journal.log")
    try:
        check_writable(request.results)
        return _launch(request, TuningStudy(definition, handle))
    finally:
        handle.close()


def _launch(request: TuneRequest, study: TuningStudy) -> int:
    workers = workers_that_fit(study.specs, request.results, request.workers, replay_bytes_of) or default_workers(study.specs)
    os.environ[COMMAND_VARIABLE] = shlex.join(["harness", *masked_arguments(sys.argv[1:])])
    console = open_console()
    _print_opening(console, request, study)
    try:
        with stop_on_signals():
            return _search(console, request, study, workers)
    except StorageLost as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        write_study_record(study, request.folder)
        study_progress = _study_progress(request, study)
        message = (
            f"interrupted: {study_progress.summary()}; everything so far is kept, and the same command goes on from there"
        )
        console.print(Text(message, style="yellow"), soft_wrap=True)
        return 130


def _search(console: Console, request: TuneRequest, study: TuningStudy, workers: int) -> int:
    study_progress = _study_progress(request, study)
    with study_view(console, study_progress) as show:
        ending = tune(
            study,
            request.results,
            budget=Budget(request.limit, request.seconds),
            workers=workers,
            device=request.device,
            on_event=_write_record_periodically(show, study, request.folder),
            train=request.train,
        )
    write_study_record(study, request.folder)
    reason = {"time": "time is up", "failing": "gave up: one trial after another failed", "complete": "done"}[ending]
    console.print(f"{reason}: {_study_progress(request, study).summary()}", soft_wrap=True)
    others = sum(trial.state not in FINISHED for trial in study.trials())
    if others and ending == "complete":
        console.print(
            f"{words.plural(others, 'trial')} still under way elsewhere; the same command shows what came of the study once"
            " they are finished, and takes over what is abandoned",
            soft_wrap=True,
        )
        return 0
    if study.best_trial() is None:
        console.print(Text("no trial finished, so there is nothing to confirm", style="red"), soft_wrap=True)
        return 1
    code = _confirm_and_report(console, request, study)
    return 1 if ending == "failing" else code


def _write_record_periodically(show: OnTrialEvent, study: TuningStudy, folder: Path) -> OnTrialEvent:
    """Rewrite the record in the study's folder from time to time as trials end."""
    due = time.monotonic() + _RECORD_SECONDS

    def on_event(event: TrialEvent) -> None:
        nonlocal due
        show(event)
        began = time.monotonic()
        if isinstance(event, TrialEnded) and began >= due:
            write_study_record(study, folder)
            ended = time.monotonic()
            due = ended + max(_RECORD_SECONDS, _RECORD_INTERVAL_FACTOR * (ended - began))

    return on_event


def _study_progress(request: TuneRequest, study: TuningStudy) -> StudyProgress:
    counts = Counter(trial.state for trial in study.trials() if trial.state in FINISHED)
    found = study.best_trial()
    return StudyProgress(request.limit.trials, dict(counts), (found.number, found.values[0]) if found else None)


def _print_opening(console: Console, request: TuneRequest, study: TuningStudy) -> None:
    options = request.suite.tune
    console.print(
        f"{study.name}: {words.plural(len(study.definition.space.parameters), 'setting')} of {request.method}"
        f" by {options.sampler},"
        f" {words.plural(len(study.specs), 'run')} per trial ({words.plural(options.seeds, 'seed')} of tuning's own);"
        f" {_study_progress(request, study).summary()}",
        soft_wrap=True,
    )
    console.print(
        f"storage: {study.handle.label}; to look inside: optuna-dashboard {study.handle.dashboard_url}", soft_wrap=True
    )
    if study.definition.space.default() is None and not study.trials():
        console.print(
            "the suite's own settings lie outside the search space: they are no trial, only confirmed", soft_wrap=True
        )


# --------------------------------------------------------------------------------------------------------------------
# Results of the study
# --------------------------------------------------------------------------------------------------------------------
def _confirm_and_report(console: Console, request: TuneRequest, study: TuningStudy) -> int:
    options, code = request.suite.tune, 0
    compared: Sequence[CandidateComparison] = ()
    if options.confirm:
        found = confirm.candidates(study, options.confirm)
        code = _run_confirmations(console, request, [spec for one in found for spec in one.specs])
        confirmed = confirm.read_confirmations(found, request.results)
        write_study_record(study, request.folder, confirmed)
        compared = confirm.compare(study.name, options.metric, confirmed)
        print_confirmation(console, compared)
        console.print(confirm.verdict(compared), soft_wrap=True)
        if not all(one.complete for one in confirmed):
            console.print(
                "some of the runs that confirm are not finished; the same command goes on from there", soft_wrap=True
            )
    _write_best(request, study, compared)
    with console.status("writing the report"):
        from harness.report.build import build_report

        report = build_report([request.folder], request.folder / "report")
    console.print(f"report: {report}", soft_wrap=True)
    use = f"harness run {shlex.quote(str(request.file))} --method {request.method} --set @{shlex.quote(str(request.best))}"
    console.print(f"settings: {request.best}; to run with them: {use}", soft_wrap=True)
    return code


def _run_confirmations(console: Console, request: TuneRequest, specs: Sequence[RunSpec]) -> int:
    """Train the confirmation runs, beside other processes that may do so too; return the exit code."""
    summaries = summarise_plan(specs, request.results)
    todo = [run for run in summaries if run.state != "finished"]
    if not todo:
        return 0
    console.print(f"confirming on fresh seeds: {words.plural(len(todo), 'run')}", soft_wrap=True)
    with progress_view(console, SuiteProgress(todo, finished=len(summaries) - len(todo))) as on_event:
        outcomes = execute(
            [run.spec for run in todo],
            results=request.results,
            workers=request.workers,
            device=request.device,
            on_event=on_event,
            train=request.train,
        )
    for outcome in outcomes:
        if outcome.ending == "failed":
            console.print(Text(f"failed: {outcome.spec.label}: {outcome.error}", style="red"), soft_wrap=True)
    return 1 if any(outcome.ending == "failed" for outcome in outcomes) else 0


def _write_best(request: TuneRequest, study: TuningStudy, compared: Sequence[CandidateComparison]) -> None:
    chosen, found = confirm.winner(compared), study.best_trial()
    assert found is not None
    comments = [f"Settings of method {request.method} in suite {request.suite.suite}, found by study {study.name}."]
    if chosen is not None:
        values = chosen.confirmation.settings
        comments += [f"{chosen.confirmation.label}, the best of those confirmed.", confirm.verdict(compared)]
    else:
        values = dict(found.params)
        comments += [
            f"Trial {found.number}, not confirmed: its score of {found.values[0]:.3f} is the best of many, so too high."
        ]
    comments.append(f"harness run {request.file} --set @{request.best}")
    request.best.parent.mkdir(parents=True, exist_ok=True)
    best.write_best(request.best, study.definition, values, comments)
