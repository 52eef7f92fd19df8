"""Running a study, and what is told before, while and after it runs."""

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

from harness.cli.launch import check_device, check_writable, replay_bytes_of, stop_on_signals
from harness.display import words
from harness.display.board import Board
from harness.display.catalogue import print_parameters
from harness.display.console import open_console
from harness.display.progress import progress_view
from harness.display.tuning import StudyBoard, print_confirmation, study_view
from harness.errors import ResultsError
from harness.execution.attempt import TRAIN
from harness.execution.capacity import default_workers
from harness.execution.forecast import forecast
from harness.execution.local import execute
from harness.execution.replay import workers_that_fit
from harness.registry import registry
from harness.run_folder import COMMAND_VARIABLE
from harness.spec import RunSpec
from harness.status import plan_standings
from harness.suite_model import Suite
from harness.tuning import best, confirm
from harness.tuning.record import write_record
from harness.tuning.scores import steps_of
from harness.tuning.storage import masked_arguments, open_storage
from harness.tuning.study import FINISHED, Limit, Problem, TuningStudy
from harness.tuning.trials import study_folder
from harness.tuning.tuner import Budget, OnTrialEvent, StorageLost, TrialEnded, TrialEvent, tune

if TYPE_CHECKING:
    from harness.tuning.confirm import Comparison

_RECORD_SECONDS = 10.0
_RECORD_SHARE = 50.0  # times what writing takes: a study of many trials is recorded less often


@dataclass(frozen=True)
class Tuning:
    """What ``harness tune`` was asked for.

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
        most_steps: Of all trials together.
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
    most_steps: int | None
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
        return self.out or self.folder / best.FILE

    @property
    def limit(self) -> Limit:
        """The budget of the study."""
        return Limit(self.suite.tune.trials if self.trials_given else None, self.most_steps)


def print_tuning_plan(asked: Tuning) -> None:
    """Print what is searched and what it will take, and start nothing."""
    problem = Problem.of(asked.suite, asked.method, asked.study, registry())
    console, options = open_console(), asked.suite.tune
    print_parameters(console, f"search space of {asked.method}", problem.space)
    specs = problem.specs({})
    with console.status("measuring how fast the method is"):
        from harness.training.estimate import estimate

        one = forecast(plan_standings(specs, asked.results), lambda spec: estimate(spec, asked.device), 1)
    workers = asked.workers or default_workers(specs)
    trials = "trials until the budget is spent" if asked.limit.trials is None else words.plural(asked.limit.trials, "trial")
    runs = f"{trials} of {words.plural(len(specs), 'run')}, {words.count(sum(map(steps_of, specs)))} steps each"
    again = len(specs) // options.seeds * options.confirm_seeds * (options.confirm + 1) if options.confirm else 0
    total = ""
    if asked.limit.trials is not None:
        trial = sum(cell.seconds_of_all for cell in one.cells)
        seconds = (trial * asked.limit.trials + trial / len(specs) * again) / workers
        total = f"; about {words.duration(seconds)} with {words.plural(workers, 'worker')}, nothing pruned"
    console.print(f"{runs}, then {words.plural(again, 'run')} to confirm{total}", soft_wrap=True)


def launch_tuning(asked: Tuning) -> int:
    """Run the study until its budget is spent, confirm its best trials, and tell what came of it.

    Returns:
        The exit code.

    Raises:
        UserError: Something cannot be used; nothing was started.
    """
    problem = Problem.of(asked.suite, asked.method, asked.study, registry())
    check_device(asked.device)
    if asked.out is not None and not asked.out.parent.is_dir():
        raise ResultsError(f"--out {asked.out}: there is no folder {asked.out.parent}")
    opened = open_storage(asked.storage, asked.folder / "journal.log")
    try:
        check_writable(asked.results)
        return _launch(asked, TuningStudy(problem, opened))
    finally:
        opened.close()


def _launch(asked: Tuning, study: TuningStudy) -> int:
    workers = workers_that_fit(study.specs, asked.results, asked.workers, replay_bytes_of) or default_workers(study.specs)
    os.environ[COMMAND_VARIABLE] = shlex.join(["harness", *masked_arguments(sys.argv[1:])])
    console = open_console()
    _print_opening(console, asked, study)
    try:
        with stop_on_signals():
            return _search(console, asked, study, workers)
    except StorageLost as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        write_record(study, asked.folder)
        board = _board(asked, study)
        message = f"interrupted: {board.summary()}; everything so far is kept, and the same command goes on from there"
        console.print(Text(message, style="yellow"), soft_wrap=True)
        return 130


def _search(console: Console, asked: Tuning, study: TuningStudy, workers: int) -> int:
    board = _board(asked, study)
    with study_view(console, board) as show:
        ending = tune(
            study,
            asked.results,
            budget=Budget(asked.limit, asked.seconds),
            workers=workers,
            device=asked.device,
            on_event=_recording(show, study, asked.folder),
            train=asked.train,
        )
    write_record(study, asked.folder)
    told = {"time": "time is up", "failing": "gave up: one trial after another failed", "complete": "done"}[ending]
    console.print(f"{told}: {_board(asked, study).summary()}", soft_wrap=True)
    others = sum(trial.state not in FINISHED for trial in study.trials())
    if others and ending == "complete":
        console.print(
            f"{words.plural(others, 'trial')} still under way elsewhere; the same command shows what came of the study once"
            " they are finished, and takes over what is abandoned",
            soft_wrap=True,
        )
        return 0
    if study.best() is None:
        console.print(Text("no trial finished, so there is nothing to confirm", style="red"), soft_wrap=True)
        return 1
    code = _conclude(console, asked, study)
    return 1 if ending == "failing" else code


def _recording(show: OnTrialEvent, study: TuningStudy, folder: Path) -> OnTrialEvent:
    """Keep the record in the study's folder fresh while trials end."""
    due = time.monotonic() + _RECORD_SECONDS

    def on_event(event: TrialEvent) -> None:
        nonlocal due
        show(event)
        began = time.monotonic()
        if isinstance(event, TrialEnded) and began >= due:
            write_record(study, folder)
            ended = time.monotonic()
            due = ended + max(_RECORD_SECONDS, _RECORD_SHARE * (ended - began))

    return on_event


def _board(asked: Tuning, study: TuningStudy) -> StudyBoard:
    counts = Counter(trial.state for trial in study.trials() if trial.state in FINISHED)
    found = study.best()
    return StudyBoard(asked.limit.trials, dict(counts), (found.number, found.values[0]) if found else None)


def _print_opening(console: Console, asked: Tuning, study: TuningStudy) -> None:
    options = asked.suite.tune
    console.print(
        f"{study.name}: {words.plural(len(study.problem.space.parameters), 'setting')} of {asked.method} by {options.sampler},"
        f" {words.plural(len(study.specs), 'run')} per trial ({words.plural(options.seeds, 'seed')} of tuning's own);"
        f" {_board(asked, study).summary()}",
        soft_wrap=True,
    )
    console.print(f"storage: {study.opened.shown}; to look inside: optuna-dashboard {study.opened.dashboard}", soft_wrap=True)
    if study.problem.space.default() is None and not study.trials():
        console.print(
            "the suite's own settings lie outside the search space: they are no trial, only confirmed", soft_wrap=True
        )


# --------------------------------------------------------------------------------------------------------------------
# What came of it
# --------------------------------------------------------------------------------------------------------------------
def _conclude(console: Console, asked: Tuning, study: TuningStudy) -> int:
    options, code = asked.suite.tune, 0
    compared: Sequence[Comparison] = ()
    if options.confirm:
        found = confirm.candidates(study, options.confirm)
        code = _run_again(console, asked, [spec for one in found for spec in one.specs])
        confirmed = confirm.read_confirmed(found, asked.results)
        write_record(study, asked.folder, confirmed)
        compared = confirm.compare(study.name, options.metric, confirmed)
        print_confirmation(console, compared)
        console.print(confirm.verdict(compared), soft_wrap=True)
        if not all(one.whole for one in confirmed):
            console.print(
                "some of the runs that confirm are not finished; the same command goes on from there", soft_wrap=True
            )
    _write_best(asked, study, compared)
    with console.status("writing the report"):
        from harness.report.build import build_report

        report = build_report([asked.folder], asked.folder / "report")
    console.print(f"report: {report}", soft_wrap=True)
    use = f"harness run {shlex.quote(str(asked.file))} --method {asked.method} --set @{shlex.quote(str(asked.best))}"
    console.print(f"settings: {asked.best}; to run with them: {use}", soft_wrap=True)
    return code


def _run_again(console: Console, asked: Tuning, specs: Sequence[RunSpec]) -> int:
    """Run what confirms, beside whoever else does; the exit code."""
    standings = plan_standings(specs, asked.results)
    todo = [run for run in standings if run.standing != "finished"]
    if not todo:
        return 0
    console.print(f"confirming on fresh seeds: {words.plural(len(todo), 'run')}", soft_wrap=True)
    with progress_view(console, Board(todo, finished=len(standings) - len(todo))) as on_event:
        outcomes = execute(
            [run.spec for run in todo],
            results=asked.results,
            workers=asked.workers,
            device=asked.device,
            on_event=on_event,
            train=asked.train,
        )
    for outcome in outcomes:
        if outcome.ending == "failed":
            console.print(Text(f"failed: {outcome.spec.label}: {outcome.error}", style="red"), soft_wrap=True)
    return 1 if any(outcome.ending == "failed" for outcome in outcomes) else 0


def _write_best(asked: Tuning, study: TuningStudy, compared: Sequence[Comparison]) -> None:
    chosen, found = confirm.winner(compared), study.best()
    assert found is not None
    remarks = [f"Settings of method {asked.method} in suite {asked.suite.suite}, found by study {study.name}."]
    if chosen is not None:
        values = chosen.confirmed.settings
        remarks += [f"{chosen.confirmed.label}, the best of those confirmed.", confirm.verdict(compared)]
    else:
        values = dict(found.params)
        remarks += [
            f"Trial {found.number}, not confirmed: its score of {found.values[0]:.3f} is the best of many, so too high."
        ]
    remarks.append(f"harness run {asked.file} --set @{asked.best}")
    asked.best.parent.mkdir(parents=True, exist_ok=True)
    best.write_best(asked.best, study.problem, values, remarks)
