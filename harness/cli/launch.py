"""Starting a suite's runs, and what is printed before, while and after they run."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.text import Text

from harness.cli.display.console import open_console
from harness.cli.display.forecast import print_forecast
from harness.cli.display.progress import progress_view
from harness.cli.display.progress_state import SuiteProgress
from harness.cli.display.states import counts, print_run_groups
from harness.cli.display.words import plural
from harness.cli.options import print_json
from harness.errors import ResultsError
from harness.execution.events import Execute, Outcome
from harness.execution.forecast import forecast
from harness.execution.replay_memory import workers_that_fit
from harness.registry import installed
from harness.runs.folder import COMMAND_VARIABLE, RunFolder
from harness.runs.status import RunSummary, summarise_plan
from harness.spec import RunSpec

_INTERRUPTED = (
    "interrupted: {suite_progress.finished} of {suite_progress.total} runs finished;"
    " everything so far is kept, and the same command goes on from there"
)


def print_plan(
    specs: Sequence[RunSpec],
    results: Path,
    *,
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
    as_json: bool = False,
) -> None:
    """Print what a plan will take, and start nothing."""
    summaries = _summarise(specs, results, fresh=fresh)
    with open_console().status("measuring how fast each method is"):
        from harness.training.estimate import estimate_in_subprocess

        plan = forecast(summaries, lambda spec: estimate_in_subprocess(spec, device), workers)
    if as_json:
        print_json(asdict(plan))
    else:
        print_forecast(open_console(), plan)


def launch(
    specs: Sequence[RunSpec],
    results: Path,
    *,
    executor: str = "local",
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
    report: bool = True,
) -> int:
    """Train the runs that are not finished, show their progress, and print the outcome.

    Returns:
        The exit code.

    Raises:
        UserError: Executor, device, replay buffers or results directory cannot be used; nothing was started.
    """
    execute: Execute = installed().load(installed().executor(executor).execute)
    check_device(device)
    summaries = _summarise(specs, results, fresh=fresh)
    todo = [run for run in summaries if run.state != "finished"]
    console = open_console()
    if not todo:
        return _print_all_finished(console, summaries, results)
    workers = workers_that_fit([run.spec for run in todo], results, workers, replay_bytes_of)
    check_writable(results)
    os.environ[COMMAND_VARIABLE] = shlex.join(["harness", *sys.argv[1:]])
    console.print(_opening_line(summaries, results), soft_wrap=True)
    suite_progress = SuiteProgress(todo, finished=len(summaries) - len(todo))
    try:
        with stop_on_signals(), progress_view(console, suite_progress) as on_event:
            outcomes = execute(
                [run.spec for run in todo], results=results, workers=workers, device=device, fresh=fresh, on_event=on_event
            )
    except KeyboardInterrupt:
        console.print(Text(_INTERRUPTED.format(suite_progress=suite_progress), style="yellow"), soft_wrap=True)
        return 130
    _print_outcomes(console, outcomes, _summarise(specs, results), results)
    if report:
        _write_report(console, specs, results)
    return 1 if any(outcome.ending == "failed" for outcome in outcomes) else 0


def _summarise(specs: Sequence[RunSpec], results: Path, *, fresh: bool = False) -> list[RunSummary]:
    if fresh:  # whatever is there is going to be deleted, so it need not even be readable
        return [RunSummary(spec, RunFolder.of(spec, results), "missing") for spec in specs]
    return summarise_plan(specs, results)


def _opening_line(summaries: Sequence[RunSummary], results: Path) -> str:
    suite = summaries[0].spec.suite
    finished = sum(run.state == "finished" for run in summaries)
    resumable = sum(run.state in ("interrupted", "failed") and run.step > 0 for run in summaries)
    to_go = f"{len(summaries) - finished} to go" + (f", {resumable} of them from a checkpoint" if resumable else "")
    return f"{suite}: {plural(len(summaries), 'run')}, {finished} finished, {to_go}; results in {results / suite}"


def check_device(device: str) -> None:
    """Refuse a device that is not there, without loading torch for those that always are."""
    if device not in ("auto", "cpu"):
        from harness.training.assembly import choose_device

        choose_device(device)


def replay_bytes_of(spec: RunSpec) -> int:
    """Of a run's full replay buffer; 0 where its environments cannot be made, for the run itself will say why."""
    from harness.training.estimate import replay_bytes

    with suppress(Exception):
        return replay_bytes(spec)
    return 0


def check_writable(results: Path) -> None:
    try:
        results.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=results):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"{results}: cannot be written ({reason}); give another directory with --results") from None


def _print_all_finished(console: Console, summaries: Sequence[RunSummary], results: Path) -> int:
    print_run_groups(console, summaries)
    folder = results / summaries[0].spec.suite
    console.print(f"nothing to do: {plural(len(summaries), 'run')} finished in {folder}", soft_wrap=True)
    file = folder / "report" / "index.html"
    console.print(f"report: {file}" if file.exists() else f"for a report: harness report {folder}", soft_wrap=True)
    return 0


def _print_outcomes(console: Console, outcomes: Sequence[Outcome], summaries: Sequence[RunSummary], results: Path) -> None:
    print_run_groups(console, summaries)
    for outcome in outcomes:
        if outcome.ending != "finished":
            log = RunFolder.of(outcome.spec, results).error_log
            where = f" (log: {log})" if log.exists() else ""
            word, style = ("failed", "red") if outcome.ending == "failed" else ("skipped", "yellow")
            console.print(Text(f"{word}: {outcome.spec.label}: {outcome.error}{where}", style=style), soft_wrap=True)
    console.print(counts(summaries))


def _write_report(console: Console, specs: Sequence[RunSpec], results: Path) -> None:
    """Report on the plan's runs alone; others in the same directory may be of other settings."""
    there = [spec for spec in specs if RunFolder.of(spec, results).record_file.exists()]
    folders = [RunFolder.of(spec, results) for spec in there]
    if not all(spec.pretraining for spec in there):
        with console.status("writing the report"):
            from harness.report.build import build_report

            file = build_report([folder.path for folder in folders], results / specs[0].suite / "report")
        console.print(f"report: {file}", soft_wrap=True)


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Let a request to end, or a closed terminal, stop a suite as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    handled = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL]
    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
