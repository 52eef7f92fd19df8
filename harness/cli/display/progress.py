"""A suite under way, drawn live on a terminal or printed line by line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cli.display import formatting
from harness.cli.display.interruption import quiet_line, stop_requested_line
from harness.cli.display.progress_state import ActiveRun, SuiteProgress
from harness.cli.display.throttle import ProgressThrottle
from harness.errors import plural
from harness.execution.events import (
    OnRunEvent,
    Outcome,
    RunEnded,
    RunEvent,
    RunHeld,
    RunProgressed,
    RunQuiet,
    RunStarted,
    StopRequested,
)
from harness.runs.progress import RunProgress

REFRESHES_PER_SECOND = 4
_RESERVED_LINES = 5


@contextmanager
def progress_view(console: Console, suite_progress: SuiteProgress) -> Generator[OnRunEvent]:
    """Show events as they come: a table that redraws itself on a terminal, a line now and then elsewhere."""
    if console.is_terminal and not console.is_dumb_terminal:
        with _live(console, suite_progress) as on_event:
            yield on_event
    else:
        yield _LineReporter(console, suite_progress)


@contextmanager
def _live(console: Console, suite_progress: SuiteProgress) -> Generator[OnRunEvent]:
    def on_event(event: RunEvent) -> None:
        suite_progress.update(event)
        if isinstance(event, RunEnded):
            console.print(outcome_line(event.outcome, last.pop(event.outcome.spec.path, None)))
        elif isinstance(event, RunProgressed):
            last[event.spec.path] = event.progress
            if event.progress.remark:
                console.print(Text(f"note      {event.spec.label}  {event.progress.remark}", style="yellow"), soft_wrap=True)
            elif event.progress.notice:
                console.print(Text(f"waiting   {event.spec.label}  {event.progress.notice}", style="yellow"))
        elif line := notice(event):
            console.print(Text(line, style="yellow"), soft_wrap=True)

    last: dict[str, RunProgress] = {}
    with Live(
        get_renderable=lambda: draw(suite_progress, console.height),
        console=console,
        refresh_per_second=REFRESHES_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield on_event


def draw(suite_progress: SuiteProgress, height: int) -> RenderableType:
    """The current progress as a table, in at most ``height`` lines."""
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("run", no_wrap=True, overflow="ellipsis", ratio=3)
    table.add_column("", ratio=2, min_width=6)
    for column, width in (("done", 5), ("steps/s", 7), ("left", 12), ("score", 8)):
        table.add_column(column, justify="right", no_wrap=True, min_width=width)
    runs = list(suite_progress.running.values())
    shown = runs[: max(height - _RESERVED_LINES, 1)]
    for run in shown:
        table.add_row(_label(run), *_cells(run))
    left = suite_progress.seconds_left
    summary = Text(
        suite_progress.counts() + (f"; about {formatting.duration(left)} left" if left is not None else ""), style="bold"
    )
    more = [Text(f"and {len(runs) - len(shown)} more", style="dim")] if len(runs) > len(shown) else []
    return Group(table, *more, *_held_line(suite_progress), summary)


def _held_line(suite_progress: SuiteProgress) -> list[Text]:
    """Which run of others is waited for, and how many more there are."""
    if not suite_progress.held:
        return []
    (spec, reason), *others = suite_progress.held.values()
    more = f", and for {plural(len(others), 'more run')}" if others else ""
    return [Text(f"waiting for {spec.label}, {reason}{more}", style="dim", no_wrap=True, overflow="ellipsis")]


def notice(event: object) -> str:
    """What is said of an event at once, wherever it comes from; empty for most."""
    match event:
        case RunQuiet():
            return quiet_line(event)
        case StopRequested():
            return stop_requested_line(event)
        case _:
            return ""


def _label(run: ActiveRun) -> str:
    progress = run.progress
    if progress is None:
        return run.spec.label
    remark = "replaying" if progress.replayed is not None else progress.phase
    return run.spec.label + (f" ({remark})" if remark else "")


def _cells(run: ActiveRun) -> list[RenderableType]:
    progress = run.progress
    if progress is None:
        return [Text("starting", style="dim"), "", "", "", ""]
    if progress.replayed is not None:
        bar, left = ProgressBar(total=1.0, completed=progress.replayed), formatting.duration(progress.replay_seconds_left)
        return [bar, f"{progress.replayed:.0%}", "", left, formatting.score(progress.score)]
    return [
        ProgressBar(total=progress.steps, completed=progress.step),
        f"{_share(progress):.0%}",
        formatting.speed(progress.steps_per_second),
        formatting.duration(run.seconds_left),
        formatting.score(progress.score),
    ]


def outcome_line(outcome: Outcome, progress: RunProgress | None = None) -> Text:
    """How a run ended, in one line."""
    match outcome.ending:
        case "finished":
            score = f"  score {formatting.score(progress.score)}" if progress and progress.score is not None else ""
            score = "  by another process" if outcome.elsewhere else score
            return Text(f"finished  {outcome.spec.label}{score}", style="green")
        case "failed":
            return Text(f"failed    {outcome.spec.label}  {outcome.error}", style="red")
        case "claimed":
            return Text(f"skipped   {outcome.spec.label}  {outcome.error}", style="yellow")
        case "interrupted":
            return Text(f"stopped   {outcome.spec.label}", style="yellow")


class _LineReporter:
    """Prints a line when a run starts and ends, and at every 10 % of progress or, where that is rare, every 30 seconds."""

    def __init__(self, console: Console, suite_progress: SuiteProgress, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.suite_progress = console, suite_progress
        self._throttle = ProgressThrottle(clock)
        self._last: dict[str, RunProgress] = {}

    def __call__(self, event: RunEvent) -> None:
        self.suite_progress.update(event)
        match event:
            case RunStarted(spec):
                self._print_line(f"started   {spec.label}")
            case RunProgressed(spec, progress):
                self._last[spec.path] = progress
                if progress.remark:
                    self._print_line(f"note      {spec.label}  {progress.remark}")
                elif progress.notice:
                    self._print_line(f"waiting   {spec.label}  {progress.notice}")
                elif self._due(spec.path, progress):
                    self._print_line(f"running   {spec.label}  {_in_words(progress)}")
            case RunEnded(outcome):
                self._print_line(outcome_line(outcome, self._last.pop(outcome.spec.path, None)).plain)
                self._print_line(f"          {self.suite_progress.counts()}{self._left()}")
            case RunHeld(spec, reason):
                self._print_line(f"waiting   {spec.label}  {reason}")
            case RunQuiet() | StopRequested():
                if line := notice(event):
                    self._print_line(line)

    def _due(self, run: str, progress: RunProgress) -> bool:
        return self._throttle.due(run if progress.replayed is None else f"{run} replaying", _share(progress))

    def _left(self) -> str:
        left = self.suite_progress.seconds_left
        return f"; about {formatting.duration(left)} left" if left else ""

    def _print_line(self, line: str) -> None:
        self.console.print(f"{datetime.now():%H:%M:%S}  {line}")


def _share(progress: RunProgress) -> float:
    return min(progress.step / progress.steps, 1.0) if progress.replayed is None else progress.replayed


def _in_words(progress: RunProgress) -> str:
    if progress.replayed is not None:
        left = formatting.duration(progress.replay_seconds_left)
        return f"replaying the actions before its checkpoint: {progress.replayed:.0%}, {left} left"
    parts = [
        f"{_share(progress):.0%}",
        f"{formatting.count(progress.step)} of {formatting.count(progress.steps)} steps",
        f"{formatting.speed(progress.steps_per_second)} steps/s",
    ]
    parts += [f"phase {progress.phase}"] if progress.phase else []
    parts += [f"score {formatting.score(progress.score)}"] if progress.score is not None else []
    return "  ".join(parts)
