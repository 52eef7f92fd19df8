"""The states of runs, as tables and lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harness.cli.display import formatting
from harness.cli.display.console import print_table
from harness.errors import plural
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable, look
from harness.runs.jobs import SubmittedJob
from harness.runs.status import RUN_STATES, RunGroup, RunSummary, group_runs

STYLES = {"finished": "green", "running": "cyan", "interrupted": "yellow", "failed": "red", "missing": "dim"}
"""The style of each state of runs, in Rich's words."""

_MOST_JOBS = 6
"""Jobs of an array that are named on its line."""


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
            log = error_log(run.folder)
            console.print(Text(f"failed: {run.spec.label}: {run.error}{log}", style="red"), soft_wrap=True)


def error_log(folder: RunFolder) -> str:
    """Where to read more of a failure, in brackets; nothing where there is no log."""
    try:
        return f" (log: {folder.error_log})" if look(folder.error_log) else ""
    except Unreadable:  # the cause was said, and is enough
        return ""


def print_notices(console: Console, notices: Sequence[str]) -> None:
    """What must be known before trusting a number, a line each."""
    for notice in notices:
        console.print(Text(f"note: {notice}", style="yellow"), soft_wrap=True)


def print_jobs(console: Console, jobs: Sequence[SubmittedJob]) -> None:
    """The jobs that were submitted for runs which are not finished, one line for each array of them."""
    arrays: dict[tuple[str, str], dict[str, int]] = {}
    for job in jobs:
        tasks = arrays.setdefault((job.executor, job.job.partition("_")[0]), {})
        tasks[job.job] = tasks.get(job.job, 0) + 1
    for (executor, array), tasks in arrays.items():
        named = ", ".join(list(tasks)[:_MOST_JOBS]) + (", ..." if len(tasks) > _MOST_JOBS else "")
        runs = plural(sum(tasks.values()), "unfinished run")
        line = f"submitted: {runs} in {executor} job {array}" + (f" ({named})" if named != array else "")
        console.print(Text(line, style="cyan"), soft_wrap=True)


def print_unreadable(console: Console, lines: Sequence[str]) -> None:
    """Each thing that could not be read."""
    for line in lines:
        console.print(Text(f"skipped: {line}", style="yellow"), soft_wrap=True)


def counts(summaries: Sequence[RunSummary], unreadable: Sequence[str] = ()) -> str:
    """The number of runs in each state, such as ``12 runs: 10 finished, 2 failed``, and of what could not be read.

    Pre-training runs have a count of their own, since they have no score and no part in any other number.
    """
    pretraining = [run for run in summaries if run.spec.pretraining]
    parts = [_count([run for run in summaries if not run.spec.pretraining])]
    parts += [f"pre-training: {_count(pretraining)}"] if pretraining else []
    parts += [f"{plural(len(unreadable), 'thing')} could not be read"] if unreadable else []
    return "; ".join(parts)


def _count(summaries: Sequence[RunSummary]) -> str:
    numbers = {state: sum(run.state == state for run in summaries) for state in RUN_STATES}
    parts = ", ".join(f"{number} {state}" for state, number in numbers.items() if number)
    return f"{plural(len(summaries), 'run')}: {parts}" if summaries else "0 runs"


def _row(group: RunGroup) -> list[str | Text]:
    left = max((run.seconds_left or 0 for run in group.runs), default=0)
    return [
        group.suite,
        group.task,
        group.method,
        *(Text(str(group.count(state) or ""), style=STYLES[state]) for state in RUN_STATES),
        formatting.speed(group.steps_per_second),
        formatting.duration(left) if left else "",
        formatting.score(group.score),
        formatting.score(group.normalised),
    ]


def _without_common_suite(rows: list[list[str | Text]]) -> list[list[str | Text]]:
    """The same rows without the suite's name where all have the same."""
    return rows if len({str(row[0]) for row in rows}) > 1 else [["", *row[1:]] for row in rows]
