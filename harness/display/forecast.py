"""A plan and what it will take, as a table."""

from __future__ import annotations

from rich.console import Console

from harness.display import words
from harness.display.console import print_table
from harness.execution.forecast import Forecast


def print_forecast(console: Console, plan: Forecast) -> None:
    """One line per task and method, and what the whole will take."""
    rows = [
        (
            cell.task,
            cell.method,
            cell.runs,
            cell.finished or "",
            words.count(cell.steps),
            words.memory(cell.memory_bytes),
            words.duration(cell.seconds) if cell.seconds else "",
        )
        for cell in plan.cells
    ]
    numbers = ("runs", "finished", "steps", "memory", "time")
    print_table(console, "", ("task", "method", *numbers), rows, right=numbers, keep=("task", "method"))
    runs, finished = sum(cell.runs for cell in plan.cells), sum(cell.finished for cell in plan.cells)
    steps = sum((cell.runs - cell.finished) * cell.steps for cell in plan.cells)
    console.print(
        f"{words.plural(runs, 'run')}, {finished} finished, {words.count(steps)} steps to go:"
        f" about {words.duration(plan.seconds)} with {words.plural(plan.workers, 'worker')}"
        " (steps are of each run, memory of each process, time of all runs of a line one after another)"
    )
