"""Where runs stand, as tables and lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harness.display import words
from harness.display.console import print_table
from harness.status import STANDINGS, Cell, RunStanding, cells

_STYLES = {"finished": "green", "running": "cyan", "interrupted": "yellow", "failed": "red", "missing": "dim"}


def print_cells(console: Console, standings: Sequence[RunStanding]) -> None:
    """One line per task and method: how many runs stand how, their speed, and their mean score once finished."""
    rows = [_row(cell) for cell in cells(standings)]
    numbers = (*STANDINGS, "steps/s", "left", "score", "normalised")
    print_table(
        console, "", ("suite", "task", "method", *numbers), _without_common_suite(rows), right=numbers, keep=("task", "method")
    )


def print_failures(console: Console, standings: Sequence[RunStanding]) -> None:
    """Each failed run with its cause and where to read more."""
    for run in standings:
        if run.standing == "failed":
            log = f" (log: {run.folder.error_log})" if run.folder.error_log.exists() else ""
            console.print(Text(f"failed: {run.spec.label}: {run.error}{log}", style="red"), soft_wrap=True)


def counts(standings: Sequence[RunStanding]) -> str:
    """How many runs stand how, such as ``12 runs: 10 finished, 2 failed``."""
    numbers = {standing: sum(run.standing == standing for run in standings) for standing in STANDINGS}
    parts = ", ".join(f"{number} {standing}" for standing, number in numbers.items() if number)
    return f"{words.plural(len(standings), 'run')}: {parts}" if standings else "0 runs"


def _row(cell: Cell) -> list[str | Text]:
    left = max((run.seconds_left or 0 for run in cell.runs), default=0)
    return [
        cell.suite,
        cell.task,
        cell.method,
        *(Text(str(cell.count(standing) or ""), style=_STYLES[standing]) for standing in STANDINGS),
        words.speed(cell.steps_per_second),
        words.duration(left) if left else "",
        words.score(cell.score),
        words.score(cell.normalised),
    ]


def _without_common_suite(rows: list[list[str | Text]]) -> list[list[str | Text]]:
    """The same rows without the suite's name where all have the same."""
    return rows if len({str(row[0]) for row in rows}) > 1 else [["", *row[1:]] for row in rows]
