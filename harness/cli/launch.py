"""``run`` as it is seen: what is printed before, while and after a plan's runs are trained."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness import experiment
from harness.cli.display.console import open_console
from harness.cli.display.forecast import print_forecast
from harness.cli.display.interruption import print_kept
from harness.cli.display.progress import progress_view
from harness.cli.display.progress_state import SuiteProgress
from harness.cli.display.states import counts, error_log, print_notices, print_run_groups, print_unreadable
from harness.cli.options import print_json
from harness.cli.signals import stop_on_signals
from harness.config.secrets import masked_arguments
from harness.errors import HarnessError, UserError, plural
from harness.execution.events import OnRunEvent, RunEvent
from harness.execution.executor import Detached
from harness.execution.instructions import bf16_notice
from harness.execution.preflight import nearest_existing
from harness.execution.stopping import StopRequest
from harness.experiment import PlanStarted, RunResult
from harness.planning.plan import Plan
from harness.runs.disks import disk_remark
from harness.runs.earlier import earlier_versions
from harness.runs.folder import COMMAND_VARIABLE, RunFolder
from harness.runs.status import RunSummary


def print_plan(
    plan: Plan, results: Path, *, workers: int | None, device: str, fresh: bool = False, as_json: bool = False
) -> None:
    """Print what a plan will take, and start nothing."""
    with open_console().status("measuring how fast each method is"):
        found = experiment.forecast(plan, results, workers=workers, device=device, fresh=fresh)
    if as_json:
        content = asdict(found)
        print_json({"cells": content.pop("groups"), **content})  # scripts know the groups of runs by this key
    else:
        print_forecast(open_console(), found)


def launch(plan: Plan, results: Path, options: dict[str, Any], *, report: bool = True) -> int:
    """Train the runs that are not finished, show their progress, and print the outcome.

    Args:
        plan: The plan of the suite.
        results: The results directory.
        options: Further arguments of `harness.experiment.run`.
        report: Whether to write the report.

    Returns:
        The exit code: 0 only if every run of the plan is finished.

    Raises:
        UserError: Executor, device, replay buffers or results directory cannot be used; nothing was started.
    """
    console, stop = open_console(), StopRequest()
    os.environ[COMMAND_VARIABLE] = shlex.join(["harness", *masked_arguments(sys.argv[1:])])
    with _RunView(console, results, options) as view, stop_on_signals(stop, lambda: view.training):
        try:
            found = experiment.run(plan, results, on_event=view.on_event, stop=stop, **options)
            view.close()
            interrupted = bool(found.interrupted) or stop.requested
            return view.print_interruption() if interrupted else _print_result(console, found, report=report)
        except Detached as detached:
            view.close()
            console.print(Text(str(detached), style="yellow"), soft_wrap=True)
            return 130
        except KeyboardInterrupt:
            view.close()
            return view.print_interruption()
        except UserError as error:
            view.close()
            if not view.started:
                raise
            return print_late_error(console, error)


def _print_result(console: Console, found: RunResult, *, report: bool) -> int:
    """Print the outcome, write the report, and return the exit code."""
    print_run_groups(console, found.runs)
    print_notices(console, found.notices)
    print_unreadable(console, found.unreadable)
    if found.outcomes:
        _print_outcomes(console, found)
    else:
        console.print(f"nothing to do: {plural(len(found.runs), 'run')} finished in {found.folder}", soft_wrap=True)
    _report(console, found, report)
    return 0 if found.finished else 1


def print_late_error(console: Console, error: Exception) -> int:
    """What went wrong after runs were trained: they are kept, so this is no refusal. Returns the exit code."""
    for line in str(error).splitlines():
        console.print(Text(f"failed: {line}", style="red"), soft_wrap=True)
    console.print("what was trained is kept, and the same command goes on from there", soft_wrap=True)
    return 1


def _report(console: Console, found: RunResult, wanted: bool) -> None:
    """Write the report if it does not show these runs as they are; that it cannot be written is no failure of theirs."""
    file = found.folder / "report" / "index.html"
    remedy = f"harness report {shlex.quote(str(found.folder))}"
    try:
        currency = experiment.report_currency(found)
        if currency == "current":
            console.print(f"report: {file}", soft_wrap=True)
        elif wanted and found.reportable and (found.outcomes or currency == "outdated"):
            with console.status("writing the report"):
                file = experiment.report(found).file
            console.print(f"report: {file}", soft_wrap=True)
            with console.status("giving the report to trackers"):
                print_notices(console, experiment.track_report(found, file.parent))
        elif currency == "outdated":
            console.print(f"report: {file} is out of date; to write it anew: {remedy}", soft_wrap=True)
        elif not found.outcomes:
            console.print(f"for a report: {remedy}", soft_wrap=True)
    except (HarnessError, OSError) as error:
        warning = f"no report: {error}; the runs are kept, for a report elsewhere: {remedy} --out DIR"
        console.print(Text(warning, style="yellow"), soft_wrap=True)


class _RunView:
    """What is shown while runs are trained: an opening line, then their progress."""

    def __init__(self, console: Console, results: Path, options: Mapping[str, Any]) -> None:
        self._console, self._results, self._stack = console, results, ExitStack()
        self._options = options
        self._progress = SuiteProgress([])
        self._show: OnRunEvent | None = None
        self.training = False

    def __enter__(self) -> _RunView:
        self._preparing = self._console.status("building each task with each method")
        self._stack.enter_context(self._preparing)
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """No run is under way any more: end the live display, if there is one."""
        self.training = False
        self._stack.close()

    def on_event(self, event: PlanStarted | RunEvent) -> None:
        """Show an event."""
        if isinstance(event, PlanStarted):
            self._preparing.stop()
            self._console.print(_opening_line(event.runs, self._results), soft_wrap=True)
            self._print_disk_remark()
            if earlier := earlier_versions([run.spec for run in event.runs], self._results):
                self._console.print(Text(_earlier_line(earlier), style="yellow"), soft_wrap=True)
            if notice := self._precision_notice(event.runs):
                self._console.print(Text(notice, style="yellow"), soft_wrap=True)
            self._progress = unfinished_progress(event.runs)
            self._show = self._stack.enter_context(progress_view(self._console, self._progress))
            self.training = True
        elif self._show is not None:
            self._show(event)

    def _print_disk_remark(self) -> None:
        with suppress(OSError):
            if remark := disk_remark(nearest_existing(self._results)):
                self._console.print(Text(remark, style="yellow"), soft_wrap=True)

    def _precision_notice(self, runs: Sequence[RunSummary]) -> str:
        """What this machine's processor lacks for the runs that it is about to train; other machines are not known here."""
        here = self._options.get("executor", "local") == "local"
        todo = [run.spec for run in runs if run.state != "finished"]
        return bf16_notice(todo, self._options.get("device", "auto")) if here else ""

    @property
    def started(self) -> bool:
        """Whether runs have been started."""
        return self._show is not None

    def print_interruption(self) -> int:
        """Say what the disk holds of the runs that were stopped, and return the exit code."""
        if self._show is None:
            self._console.print(Text("interrupted before anything was started", style="yellow"))
            return 130
        stopped = self._progress.stopped
        print_kept(self._console, [(spec.label, spec) for spec in stopped], self._results)
        remedy = "the same command goes on from there"
        if self._progress.finished == self._progress.total:
            remedy = "the same command writes the report"
        self._console.print(Text(f"interrupted: {self._progress.counts()}; {remedy}", style="yellow"), soft_wrap=True)
        return 130


def unfinished_progress(runs: Sequence[RunSummary]) -> SuiteProgress:
    """The progress of runs of which the unfinished ones are about to be started."""
    todo = [run for run in runs if run.state != "finished"]
    return SuiteProgress(todo, finished=len(runs) - len(todo))


def _opening_line(summaries: Sequence[RunSummary], results: Path) -> str:
    suite = summaries[0].spec.suite
    finished = sum(run.state == "finished" for run in summaries)
    resumable = sum(run.state in ("interrupted", "failed") and run.step > 0 for run in summaries)
    to_go = f"{len(summaries) - finished} to go" + (f", {resumable} of them from a checkpoint" if resumable else "")
    return f"{suite}: {plural(len(summaries), 'run')}, {finished} finished, {to_go}; results in {results / suite}"


def _earlier_line(earlier: Sequence[RunFolder]) -> str:
    other = f", and {len(earlier) - 1} more" if len(earlier) > 1 else ""
    return (
        f"results of November 2026 or earlier lie beside and are left alone, since their checkpoints ended episodes:"
        f" {earlier[0].path}{other}"
    )


def _print_outcomes(console: Console, found: RunResult) -> None:
    for outcome in found.outcomes:
        if outcome.ending != "finished":
            where = error_log(RunFolder.of(outcome.spec, found.results))
            word, style = ("failed", "red") if outcome.ending == "failed" else ("skipped", "yellow")
            console.print(Text(f"{word}: {outcome.spec.label}: {outcome.error}{where}", style=style), soft_wrap=True)
    console.print(counts(found.runs, found.unreadable))
