"""What the table of a paper holds: every method on every task, and over all tasks together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from harness.analysis.parts import parts_of
from harness.report.context import SuiteContext
from harness.report.wording import NO_VALUE, decimals_for, format_count, format_number

_FEW_METHODS = 5  # columns that a table has room for whatever its rows

Cell = tuple[str, bool]
"""A cell's text, and whether it is among the best of its task."""


@dataclass(frozen=True)
class ResultsTable:
    """A suite's results.

    Attributes:
        suite: Name of the suite.
        caption: What the numbers are.
        columns: Heads of all columns but the first.
        rows: The name of each row with its cells.
        first_total: Index of the first row over all tasks together; number of rows where that is a column.
    """

    suite: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    first_total: int


def results_table(suite: SuiteContext) -> ResultsTable | None:
    """The table of a suite; ``None`` where no run has a score."""
    analysis, marks = suite.analysis, suite.plots.marks
    table = analysis.tables["tasks"]
    scores = table.filter(pl.col("scores") > 0)["scores"]
    if scores.is_empty():
        return None
    methods = analysis.methods
    parts = parts_of(table, "task")
    lines = [(str(task), _task_cells(parts[task,], methods)) for task in analysis.tasks["task"]]
    iqm = analysis.tables["aggregates"].filter(metric="iqm")
    n_tasks = len(lines)
    if len(iqm):
        lines.append(("IQM", _total_cells(iqm, methods, marks)))
    names = list(methods)
    caption = _caption(suite, scores, has_total=len(iqm) > 0, has_marks=any(label in marks for label in methods))
    if len(methods) <= max(n_tasks, _FEW_METHODS):
        return ResultsTable(analysis.suite, caption, names, lines, n_tasks)
    turned = [(name, [cells[i] for _, cells in lines]) for i, name in enumerate(names)]
    return ResultsTable(analysis.suite, caption, [name for name, _ in lines], turned, len(turned))


def _task_cells(part: pl.DataFrame, methods: Sequence[str]) -> list[Cell]:
    decimals, best = decimals_for(part["value"]), _among_best(part)
    facts = {label: found for label, *found in part.select("method", "value", "sd").rows()}
    cells: list[Cell] = []
    for label in methods:
        value, sd = facts[label]
        spread = "" if sd is None else f" ± {format_number(sd, decimals)}"
        cells.append((NO_VALUE if value is None else format_number(value, decimals) + spread, label in best))
    return cells


def _total_cells(iqm: pl.DataFrame, methods: Sequence[str], marks: Mapping[str, str]) -> list[Cell]:
    complete = iqm.filter(~pl.col("method").is_in(list(marks)))  # what covers fewer tasks is not compared
    best, found = _among_best(complete), {row["method"]: row for row in iqm.rows(named=True)}
    return [(_total(found[label], marks) if label in found else NO_VALUE, label in best) for label in methods]


def _total(row: Mapping[str, float | None], marks: Mapping[str, str]) -> str:
    value, low, high = (row[name] for name in ("value", "low", "high"))
    interval = "" if low is None else f" [{format_number(low, 2)}, {format_number(high, 2)}]"
    return f"{format_number(value, 2)}{interval}{marks.get(str(row['method']), '')}"


def _among_best(part: pl.DataFrame) -> set[str]:
    """The best method and those whose value lies within its interval; none where there is no interval to say so."""
    rows = part.drop_nulls("value").select("method", "value", "low").rows()
    if len({value for _, value, _ in rows}) < 2:  # nothing stands out
        return set()
    _, value, low = max(rows, key=lambda row: row[1])
    return set() if low is None else {label for label, other, _ in rows if other >= min(low, value)}


def _caption(suite: SuiteContext, scores: pl.Series, *, has_total: bool, has_marks: bool) -> str:
    seeds = list(dict.fromkeys(scores.sort().to_list()))
    number = format_count(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    total = " IQM: interquartile mean of normalised scores over all tasks, with 95 % intervals." if has_total else ""
    marked = " †: over fewer tasks, and not compared." if has_marks else ""
    return (
        f"Results of {suite.analysis.suite}: mean return ± standard deviation over {number}.{total}"
        f" Bold: the best, and every value within its 95 % interval.{marked}"
    )
