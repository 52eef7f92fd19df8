"""``tune`` as it is seen: what is printed before, while and after a study runs."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness import experiment
from harness.cli.display import formatting
from harness.cli.display.catalogue import print_parameters
from harness.cli.display.console import open_console
from harness.cli.display.interruption import print_kept
from harness.cli.display.progress import progress_view
from harness.cli.display.progress_state import SuiteProgress
from harness.cli.display.tuning import StudyProgress, print_confirmation, study_view
from harness.cli.launch import print_late_error, unfinished_progress
from harness.cli.signals import stop_on_signals
from harness.config.secrets import masked_arguments
from harness.errors import HarnessError, UserError, plural
from harness.execution.events import Outcome
from harness.execution.stopping import StopRequest
from harness.planning.plan import Plan
from harness.runs.folder import COMMAND_VARIABLE
from harness.spec import RunSpec
from harness.tuning.outages import StorageLost
from harness.tuning.search import (
    ConfirmationEnded,
    ConfirmationStarted,
    SearchEnded,
    StudyOpened,
    StudySummary,
    TuneEvent,
    TuneResult,
)
from harness.tuning.tuner import TrialLeft

_REASONS = {"time": "time is up", "failing": "gave up: one trial after another failed", "complete": "done"}


def print_tuning_plan(plan: Plan, method: str, results: Path, options: dict[str, Any]) -> None:
    """Print what is searched and what it will take, and start nothing.

    Args:
        plan: The plan of the suite.
        method: Name of the method.
        results: The results directory.
        options: Further arguments of `harness.experiment.forecast_tuning`.
    """
    console = open_console()
    with console.status("measuring how fast the method is"):
        found = experiment.forecast_tuning(plan, method, results, **options)
    print_parameters(console, f"search space of {method}", found.space)
    trials = "trials until the budget is spent" if found.trials is None else plural(found.trials, "trial")
    runs = f"{trials} of {plural(found.runs_per_trial, 'run')}, {formatting.count(found.steps_per_trial)} steps each"
    total = ""
    if found.seconds is not None:
        total = f"; about {formatting.duration(found.seconds)} with {plural(found.workers, 'worker')}, nothing pruned"
    confirmation = plural(found.confirmation_runs, "run")
    console.print(f"{runs}, then {confirmation} to confirm{total}", soft_wrap=True)
    if found.drawn_trial_seconds:
        least, most = (formatting.duration(bound(found.drawn_trial_seconds)) for bound in (min, max))
        drawn = plural(len(found.drawn_trial_seconds), "trial")
        own = formatting.duration(found.default_trial_seconds)
        console.print(
            f"a trial takes {least} to {most}, as measured with {drawn} drawn from the space; one with the suite's own"
            f" settings {own}",
            soft_wrap=True,
        )


def launch_tuning(plan: Plan, method: str, results: Path, options: dict[str, Any]) -> int:
    """Run the study until its budget is spent, confirm its best trials, and print the result.

    Args:
        plan: The plan of the suite.
        method: Name of the method.
        results: The results directory.
        options: Further arguments of `harness.experiment.tune`.

    Returns:
        The exit code.

    Raises:
        UserError: Something cannot be used; nothing was started.
    """
    console, stop = open_console(), StopRequest()
    os.environ[COMMAND_VARIABLE] = shlex.join(["harness", *masked_arguments(sys.argv[1:])])
    with _TuneView(console, results) as view, stop_on_signals(stop, lambda: view.training):
        try:
            found = experiment.tune(plan, method, results, on_event=view.on_event, stop=stop, **options)
            view.close()
            return view.print_interruption() if found.interrupted or stop.requested else _print_result(console, view, found)
        except StorageLost as error:
            view.close()
            view.print_left()
            console.print(Text(str(error), style="red"), soft_wrap=True)
            return 1
        except UserError as error:
            view.close()
            if not view.opened:
                raise
            return print_late_error(console, error)
        except KeyboardInterrupt:
            view.close()
            return view.print_interruption()


class _TuneView:
    """What is shown while a study runs: what it is, its trials, and the runs that confirm the best of them."""

    def __init__(self, console: Console, results: Path) -> None:
        self._console, self._results, self._stack = console, results, ExitStack()
        self._show: Any = None
        self._summary: StudySummary | None = None
        self._left: list[tuple[str, RunSpec]] = []
        self._confirmation: SuiteProgress | None = None
        self.training = False

    def __enter__(self) -> _TuneView:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """No run is under way any more: end the live display, if there is one."""
        self.training = False
        self._stack.close()

    def on_event(self, event: TuneEvent) -> None:
        """Show an event."""
        match event:
            case StudyOpened():
                self._summary, self.training = event.summary, True
                _print_opening(self._console, event)
                self._show = self._stack.enter_context(study_view(self._console, study_progress(event.summary)))
            case SearchEnded(reason, summary):
                self._summary = summary
                self.close()
                if reason != "interrupted":
                    self._print(f"{_REASONS[reason]}: {study_progress(summary).summary()}")
            case ConfirmationStarted(runs):
                progress = unfinished_progress(runs)
                self._print(f"confirming on fresh seeds: {plural(progress.total - progress.finished, 'run')}")
                self._confirmation, self.training = progress, True
                self._show = self._stack.enter_context(progress_view(self._console, progress))
            case TrialLeft(number, run):
                self._left.append((f"trial {number}, {run.label}", run))
            case ConfirmationEnded(outcomes):
                self.close()
                for outcome in outcomes:
                    self._print_failure(outcome)
            case _:
                self._show(event)

    @property
    def opened(self) -> bool:
        """Whether the search has begun."""
        return self._summary is not None

    def print_left(self) -> None:
        """Say what the disk holds of the runs that were under way."""
        confirming = self._confirmation.stopped if self._confirmation else []
        print_kept(self._console, [*self._left, *((spec.label, spec) for spec in confirming)], self._results)

    def print_interruption(self) -> int:
        """Say what the disk holds of the runs that were stopped, and return the exit code."""
        if self._summary is None:
            self._console.print(Text("interrupted before anything was started", style="yellow"))
            return 130
        self.print_left()
        done = study_progress(self._summary).summary()
        if self._confirmation is not None:
            done += f"; confirming: {self._confirmation.counts()}"
        line = f"interrupted: {done}; the same command goes on from there"
        self._console.print(Text(line, style="yellow"), soft_wrap=True)
        return 130

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)

    def _print_failure(self, outcome: Outcome) -> None:
        if outcome.ending == "failed":
            self._console.print(Text(f"failed: {outcome.spec.label}: {outcome.error}", style="red"), soft_wrap=True)


def study_progress(summary: StudySummary) -> StudyProgress:
    """The progress that is shown of a study."""
    return StudyProgress(summary.limit, dict(summary.counts), summary.best)


def _print_opening(console: Console, opened: StudyOpened) -> None:
    definition = opened.definition
    options = definition.options
    console.print(
        f"{definition.study}: {plural(len(definition.space.parameters), 'setting')} of {definition.method}"
        f" by {options.sampler},"
        f" {plural(opened.runs_per_trial, 'run')} per trial ({plural(options.seeds, 'seed')} of tuning's own);"
        f" {study_progress(opened.summary).summary()}",
        soft_wrap=True,
    )
    console.print(f"storage: {opened.storage}; to look inside: optuna-dashboard {opened.dashboard_url}", soft_wrap=True)
    if opened.default_outside:
        console.print(
            "the suite's own settings lie outside the search space: they are no trial, only confirmed", soft_wrap=True
        )


def _print_result(console: Console, view: _TuneView, found: TuneResult) -> int:
    """Print what came of the study, and return the exit code."""
    view.print_left()
    _print_findings(console, found)
    return 1 if found.failed else 0


def _print_findings(console: Console, found: TuneResult) -> None:
    if found.elsewhere:
        console.print(
            f"{plural(found.elsewhere, 'trial')} still under way elsewhere; the same command shows what came of the"
            " study once they are finished, and takes over what is abandoned",
            soft_wrap=True,
        )
        return
    for line in found.unwritten:
        console.print(Text(line, style="red"), soft_wrap=True)
    if found.unwritten:
        console.print("the study is kept in its storage, and the same command writes it anew", soft_wrap=True)
    if found.settings_file is None and not found.summary.best:
        console.print(Text("no trial finished, so there is nothing to confirm", style="red"), soft_wrap=True)
        return
    if found.verdict:
        print_confirmation(console, found.compared)
        console.print(found.verdict, soft_wrap=True)
    if not found.confirmed:
        console.print("some of the runs that confirm are not finished; the same command goes on from there", soft_wrap=True)
    _print_report(console, found)
    if found.settings_file is None:
        return
    file, method = found.request.plan.file, found.request.method
    use = f"harness run {shlex.quote(str(file))} --method {method} --set @{shlex.quote(str(found.settings_file))}"
    console.print(f"settings: {found.settings_file}; to run with them: {use}", soft_wrap=True)


def _print_report(console: Console, found: TuneResult) -> None:
    """Write the report; that it cannot be written is no failure of the study."""
    try:
        with console.status("writing the report"):
            written = experiment.report(found)
        console.print(f"report: {written.file}", soft_wrap=True)
    except (HarnessError, OSError) as error:
        remedy = f"for a report elsewhere: harness report {shlex.quote(str(found.request.folder))} --out DIR"
        console.print(Text(f"no report: {error}; the study is kept, {remedy}", style="yellow"), soft_wrap=True)
