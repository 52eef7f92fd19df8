"""The state of runs, look after look, as tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cli.display import formatting
from harness.cli.display.states import STYLES
from harness.errors import plural, without_control_characters
from harness.watch.view import RunLine, StatusView

_FIXED_LINES = 5
_MAX_PROBLEMS = 3
_MAX_NAMES = 3

_COLUMNS = {"": 100, "done": 0, "steps": 130, "steps/s": 56, "left": 40, "score": 72, "since": 92, "held by": 80}
"""Columns beside the run's name, and the width of the terminal from which there is room for each."""


def draw(found: StatusView, where: str, seconds: float, width: int, height: int) -> RenderableType:
    """What a look found, as wide and high as a terminal.

    Args:
        found: Everything that is to be shown.
        where: Name of the results directories.
        seconds: Time between two looks.
        width: Columns of the terminal.
        height: Lines of the terminal.
    """
    remarks = list(_remarks(found))[: max(height // 3, 1)]
    room = max(height - _FIXED_LINES - len(remarks), 1)
    shown = found.active[: room if len(found.active) <= room else room - 1]
    parts: list[RenderableType] = [_one_line(summary(found), "bold")]
    if shown:
        parts.append(_active_table(shown, width))
    if left := len(found.active) - len(shown):
        parts.append(_one_line(f"and {left} more at work", "dim"))
    room -= len(shown) + bool(left)
    if room > len(found.groups) + 2 and width >= 60 and found.groups:
        parts += ["", _group_table(found, width)]
    if remarks:
        parts += ["", *remarks]
    footer = f"{where}  {datetime.now():%H:%M:%S}, every {seconds:g} s; Ctrl-C ends this view and no run"
    return Group(*parts, _one_line(footer, "dim"))


def summary(found: StatusView) -> str:
    """The number of runs in each state, and the time until all are finished, as far as one can tell."""
    if not found.number:
        return "no runs yet"
    states = ", ".join(f"{number} {state}" for state, number in found.counts.items())
    left = f"; about {formatting.duration(found.seconds_left)} left" if found.seconds_left is not None else ""
    return f"{plural(found.number, 'run')}: {states}{left}"


def _active_table(lines: Sequence[RunLine], width: int) -> Table:
    columns = [name for name, least in _COLUMNS.items() if width >= least]
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("run", no_wrap=True, overflow="ellipsis", ratio=3)
    for name in columns:
        match name:
            case "":
                table.add_column("", ratio=1, min_width=6)
            case "held by":
                table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=2)
            case _:
                table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for line in lines:
        cells = _cells(line)
        table.add_row(Text(line.name, style=STYLES["running"]), *(cells[name] for name in columns))
    return table


def _cells(line: RunLine) -> dict[str, RenderableType]:
    if line.activity == "starting":
        return {
            "": Text("starting", style="dim"),
            "done": Text("starting" if not line.step else f"{line.share:.0%}", style="dim"),
            "steps": _steps(line),
            "steps/s": "",
            "left": "",
            "score": formatting.score(line.score),
            "since": "",
            "held by": line.held_by,
        }
    return {
        "": ProgressBar(total=1.0, completed=line.share),
        "done": f"{line.share:.0%}",
        "steps": _steps(line),
        "steps/s": formatting.speed(line.steps_per_second),
        "left": formatting.duration(line.seconds_left),
        "score": formatting.score(line.score),
        "since": formatting.moment(line.since),
        "held by": line.held_by,
    }


def _group_table(found: StatusView, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    names = ("suite", "task", "method") if found.several_suites else ("task", "method")
    for name in names:
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=max(width // 4, 8))
    for state in found.counts:
        table.add_column(state, justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    for group in found.groups:
        own = [without_control_characters(getattr(group, name)) for name in names]
        states = [Text(str(group.count(state) or ""), style=STYLES[state]) for state in found.counts]
        table.add_row(*own, *states, formatting.score(group.score))
    return table


def _remarks(found: StatusView) -> Iterator[Text]:
    """The lines about what is not at work: failures, what waits, and what could not be read."""
    for line in found.failed[:_MAX_PROBLEMS]:
        yield _one_line(f"failed: {line.name}: {line.error}", STYLES["failed"])
    if left := len(found.failed) - _MAX_PROBLEMS:
        yield from [_one_line(f"and {left} more failed", STYLES["failed"])] if left > 0 else []
    if waiting := [*(_with_job(line.name, line.job) for line in found.waiting), *(_with_job(*job) for job in found.queued)]:
        more = f" and {len(waiting) - _MAX_NAMES} more" if len(waiting) > _MAX_NAMES else ""
        yield _one_line(f"waiting: {', '.join(waiting[:_MAX_NAMES])}{more}", STYLES["interrupted"])
    for prefix, lines in (("note", found.notices), ("skipped", found.unreadable)):
        for text in lines[:_MAX_PROBLEMS]:
            yield _one_line(f"{prefix}: {text}", STYLES["interrupted"])


def _with_job(name: str, job: str) -> str:
    return f"{name} ({job})" if job else name


def _steps(line: RunLine) -> str:
    return f"{formatting.count(line.step)} of {formatting.count(line.steps)}"


def _one_line(text: str, style: str) -> Text:
    return Text(without_control_characters(text).replace("\n", " "), style=style, no_wrap=True, overflow="ellipsis")
