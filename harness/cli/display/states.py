"""The states of runs, as tables and lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harness.cli.display import formatting
from harness.cli.display.console import print_table
from harness.runs.status import RUN_STATES, RunGroup, RunSummary, group_runs

_STYLES = {"finished": "green", "running": "cyan", "interrupted": "yellow", "failed": "red", "missing": "dim"}


def print_run_groups(console: Console, summaries: Sequence[RunSummary]) -> None:
    """One line per task and method: the number of runs in each state, their speed, and the mean score of the finished ones."""
    rows = [_row(group) for group in group_runs(summaries)]
    numbers = (*RUN_STATES, "steps/s", "left", "score", "normalised")
    print_table(
        console,
        "",
        ("suite", "task", "method", *numbers),
        _without_common_suite(rows),
        right_aligned=numbers,
        no_wrap_columns=("task", "method"),
    )


def print_failures(console: Console, summaries: Sequence[RunSummary]) -> None:
    """Each failed run with its cause and where to read more."""
    for run in summaries:
        if run.state == "failed":
            log = f" (log: {run.folder.error_log})" if run.folder.error_log.exists() else ""
            console.print(Text(f"failed: {run.spec.label}: {run.error}{log}", style="red"), soft_wrap=True)


def counts(summaries: Sequence[RunSummary]) -> str:
    """The number of runs in each state, such as ``12 runs: 10 finished, 2 failed``."""
    numbers = {state: sum(run.state == state for run in summaries) for state in RUN_STATES}
    parts = ", ".join(f"{number} {state}" for state, number in numbers.items() if number)
    return f"{formatting.plural(len(summaries), 'run')}: {parts}" if summaries else "0 runs"


def _row(group: RunGroup) -> list[str | Text]:
    left = max((run.seconds_left or 0 for run in group.runs), default=0)
    return [
        group.suite,
        group.task,
        group.method,
        *(Text(str(group.count(state) or ""), style=_STYLES[state]) for state in RUN_STATES),
        formatting.speed(group.steps_per_second),
        formatting.duration(left) if left else "",
        formatting.score(group.score),
        formatting.score(group.normalised),
    ]


def _without_common_suite(rows: list[list[str | Text]]) -> list[list[str | Text]]:
    """The same rows without the suite's name where all have the same."""
    return rows if len({str(row[0]) for row in rows}) > 1 else [["", *row[1:]] for row in rows]
