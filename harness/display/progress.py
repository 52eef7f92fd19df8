"""A suite under way, drawn live on a terminal or told line by line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.display import words
from harness.display.board import Board, Row
from harness.execution.events import Advanced, Ended, Event, OnEvent, Outcome, Started
from harness.progress import Progress

REFRESHES_PER_SECOND = 4
_RESERVED_LINES = 4

_LEAST_GAIN, _LEAST_SECONDS = 0.1, 5.0
_SLOW_GAIN, _SLOW_SECONDS = 0.01, 30.0


@contextmanager
def progress_view(console: Console, board: Board) -> Iterator[OnEvent]:
    """Show events as they come: a table that redraws itself on a terminal, a line now and then elsewhere."""
    if console.is_terminal and not console.is_dumb_terminal:
        with _live(console, board) as on_event:
            yield on_event
    else:
        yield _Teller(console, board)


@contextmanager
def _live(console: Console, board: Board) -> Iterator[OnEvent]:
    def on_event(event: Event) -> None:
        board.update(event)
        if isinstance(event, Ended):
            console.print(ending(event.outcome, last.pop(event.outcome.spec.path, None)))
        elif isinstance(event, Advanced):
            last[event.spec.path] = event.progress

    last: dict[str, Progress] = {}
    with Live(
        get_renderable=lambda: draw(board, console.height),
        console=console,
        refresh_per_second=REFRESHES_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield on_event


def draw(board: Board, height: int) -> RenderableType:
    """The board as it is now, in at most ``height`` lines."""
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("run", no_wrap=True, overflow="ellipsis", ratio=3)
    table.add_column("", ratio=2, min_width=6)
    for column, width in (("done", 5), ("steps/s", 7), ("left", 12), ("score", 8)):
        table.add_column(column, justify="right", no_wrap=True, min_width=width)
    rows = list(board.running.values())
    shown = rows[: max(height - _RESERVED_LINES, 1)]
    for row in shown:
        table.add_row(_label(row), *_cells(row))
    left = board.seconds_left
    summary = Text(board.counts() + (f"; about {words.duration(left)} left" if left is not None else ""), style="bold")
    more = [Text(f"and {len(rows) - len(shown)} more", style="dim")] if len(rows) > len(shown) else []
    return Group(table, *more, summary)


def _label(row: Row) -> str:
    phase = row.progress.phase if row.progress else None
    return row.spec.label + (f" ({phase})" if phase else "")


def _cells(row: Row) -> list[RenderableType]:
    progress = row.progress
    if progress is None:
        return [Text("starting", style="dim"), "", "", "", ""]
    return [
        ProgressBar(total=progress.steps, completed=progress.step),
        f"{_share(progress):.0%}",
        words.speed(progress.steps_per_second),
        words.duration(row.seconds_left),
        words.score(progress.score),
    ]


def ending(outcome: Outcome, progress: Progress | None = None) -> Text:
    """How a run ended, in one line."""
    match outcome.ending:
        case "finished":
            score = f"  score {words.score(progress.score)}" if progress and progress.score is not None else ""
            return Text(f"finished  {outcome.spec.label}{score}", style="green")
        case "failed":
            return Text(f"failed    {outcome.spec.label}  {outcome.error}", style="red")
        case "claimed":
            return Text(f"skipped   {outcome.spec.label}  {outcome.error}", style="yellow")


class _Teller:
    """Tells of each run's start and end, and of its progress every 10 % or, where that is rare, every 30 seconds."""

    def __init__(self, console: Console, board: Board, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.board, self.clock = console, board, clock
        self._told: dict[str, tuple[float, float]] = {}
        self._last: dict[str, Progress] = {}

    def __call__(self, event: Event) -> None:
        self.board.update(event)
        match event:
            case Started(spec):
                self._say(f"started   {spec.label}")
            case Advanced(spec, progress):
                self._last[spec.path] = progress
                if self._due(spec.path, progress):
                    self._say(f"running   {spec.label}  {_in_words(progress)}")
            case Ended(outcome):
                self._say(ending(outcome, self._last.pop(outcome.spec.path, None)).plain)
                self._say(f"          {self.board.counts()}{self._left()}")

    def _due(self, run: str, progress: Progress) -> bool:
        now, share = self.clock(), _share(progress)
        then, told = self._told.setdefault(run, (now, share))
        gained, waited = share - told, now - then
        due = (gained >= _LEAST_GAIN and waited >= _LEAST_SECONDS) or (gained >= _SLOW_GAIN and waited >= _SLOW_SECONDS)
        if due:
            self._told[run] = (now, share)
        return due

    def _left(self) -> str:
        left = self.board.seconds_left
        return f"; about {words.duration(left)} left" if left else ""

    def _say(self, line: str) -> None:
        self.console.print(f"{datetime.now():%H:%M:%S}  {line}")


def _share(progress: Progress) -> float:
    return min(progress.step / progress.steps, 1.0)


def _in_words(progress: Progress) -> str:
    parts = [
        f"{_share(progress):.0%}",
        f"{words.count(progress.step)} of {words.count(progress.steps)} steps",
        f"{words.speed(progress.steps_per_second)} steps/s",
    ]
    parts += [f"phase {progress.phase}"] if progress.phase else []
    parts += [f"score {words.score(progress.score)}"] if progress.score is not None else []
    return "  ".join(parts)
