"""A plan and what it will take, as a table."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.cli.display import formatting
from harness.cli.display.console import print_table
from harness.errors import plural
from harness.execution.forecast import Forecast, GroupForecast


def print_forecast(console: Console, plan: Forecast) -> None:
    """One line per task and method, and what the whole will take."""
    numbers = ("runs", "finished", "steps per run", "memory per run", "steps/s", "time")
    rows = [_row(group) for group in plan.groups]
    print_table(console, "", ("task", "method", *numbers), rows, right_aligned=numbers, no_wrap_columns=("task", "method"))
    runs, finished = sum(group.runs for group in plan.groups), sum(group.finished for group in plan.groups)
    console.print(
        f"{plural(runs, 'run')}, {finished} finished; about {formatting.duration(plan.seconds)}"
        f" with {plural(plan.workers, 'worker')}, as busy as this machine is now",
        soft_wrap=True,
    )
    for steps, groups in _unended(plan).items():
        warning = (
            f"no evaluation episode of {', '.join(groups)} ended within {formatting.count(steps)} steps, so that the time is a"
            " lower bound; evaluation: {max_steps: N} bounds an episode"
        )
        console.print(Text(warning, style="yellow"), soft_wrap=True)
    if replay := max((group.replay_bytes for group in plan.groups), default=0):
        console.print(
            f"full replay buffers take up to {formatting.memory(replay)} of each run's memory,"
            " and as much again of the disk until the run is finished",
            soft_wrap=True,
        )
    for notice in plan.notices:
        console.print(Text(notice, style="yellow"), soft_wrap=True)
    if plan.fitting < plan.workers:
        warning = (
            f"memory is short: the largest runs fit {max(plan.fitting, 1)} at a time; use --workers {max(plan.fitting, 1)}"
        )
        if replay:
            warning += ", or a smaller buffer_size"
        console.print(Text(warning, style="yellow"), soft_wrap=True)


def _unended(plan: Forecast) -> dict[int, list[str]]:
    """Tasks and methods whose evaluation episodes did not end while they were timed, by the steps that were waited for."""
    found: dict[int, list[str]] = {}
    for group in plan.groups:
        if group.unended_after is not None and group.seconds:
            found.setdefault(group.unended_after, []).append(f"{group.task}/{group.method}")
    return found


def _row(group: GroupForecast) -> tuple[str, ...]:
    return (
        group.task,
        group.method,
        str(group.runs),
        str(group.finished or ""),
        formatting.count(group.steps),
        formatting.memory(group.memory_bytes),
        formatting.speed(group.steps_per_second),
        formatting.duration(group.seconds) if group.seconds else "",
    )
