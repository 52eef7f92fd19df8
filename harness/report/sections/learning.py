"""How fast methods learn, in numbers."""

from __future__ import annotations

import polars as pl

from harness.analysis.tables import Analysis
from harness.report.cells import estimate_cell
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, Paragraph, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE, decimals_for, format_duration, format_interval

_SHOWN = 0.5

_EXPLANATION = (
    "The mean score over training is the area under a learning curve by the trapezoidal rule, divided by the steps from its"
    " first to its last evaluation: it rewards early learning as well as a high end. Only finished runs count. Steps to a"
    " score are those of the first evaluation at which a run had it, so no finer than evaluations are apart; a single lucky"
    " evaluation counts. Runs that never had it are not left out: their number is given, and the median (Kaplan and Meier) is"
    " named only where at least half of all runs are estimated to arrive within what was measured. Time is each run's own"
    " average pace, on its own machine."
)


def build(suite: SuiteContext) -> Section | None:
    """Areas under curves and steps to a score; nothing where there are no curves."""
    analysis = suite.analysis
    areas, thresholds = analysis.tables["areas"], analysis.tables["thresholds"]
    if areas.is_empty() and thresholds.is_empty():
        return None
    blocks: list[Block] = [Paragraph(_EXPLANATION)]
    if len(areas):
        blocks.append(_areas(analysis))
    if len(thresholds):
        frames = "frames and " if thresholds["frames"].count() else ""
        caption = f"Median steps to a normalised score of 0.5, {frames}training time beside it, and how many runs had it."
        blocks.append(_thresholds(analysis, thresholds.filter(threshold=_SHOWN), caption))
        others = thresholds.filter(pl.col("threshold") != _SHOWN)
        caption = "The same for other scores; thresholds.csv has the interval of the share of runs that had each."
        blocks.append(_thresholds(analysis, others, caption, collapsed=True))
    return Section("Learning speed", tuple(blocks))


def _areas(analysis: Analysis) -> ReportTable:
    table = analysis.tables["areas"]
    columns = (Column("Task"), *(Column(label, "number", method=True) for label in analysis.methods))
    rows: list[tuple[TableCell, ...]] = []
    for task in [None, *analysis.tasks["task"]]:
        part = table.filter(pl.col("task").eq_missing(pl.lit(task)))
        if part.is_empty():
            continue
        decimals = 3 if task is None else decimals_for(part["value"])
        ends = part.select("method", "value", "low", "high").rows()
        found = {label: estimate_cell(value, low, high, decimals) for label, value, low, high in ends}
        cells = [found.get(label, NO_VALUE) for label in analysis.methods]
        rows.append((task or "all tasks, IQM of normalised scores", *cells))
    caption = "Mean score over training of finished runs, with 95 % intervals; of tasks as raw returns."
    return ReportTable(caption, columns, tuple(rows))


def _thresholds(analysis: Analysis, table: pl.DataFrame, caption: str, *, collapsed: bool = False) -> ReportTable:
    heads = (Column("Task"), *([Column("Score", "number")] if collapsed else []))
    columns = (*heads, *(Column(label, "number", method=True) for label in analysis.methods))
    rows: list[tuple[TableCell, ...]] = []
    for (task, threshold), part in table.group_by("task", "threshold", maintain_order=True):
        found = {row["method"]: _cell(row) for row in part.rows(named=True)}
        cells = [found.get(label, NO_VALUE) for label in analysis.methods]
        rows.append((str(task), *([f"{threshold:g}"] if collapsed else []), *cells))
    rows.sort(key=lambda row: row[0])
    return ReportTable(caption, columns, tuple(rows), collapsed=collapsed)


def _cell(row: dict[str, float | None]) -> TableCell:
    steps, frames, seconds = row["steps"], row["frames"], row["seconds"]
    share = f"{row['reached']} of {row['runs']} {format_interval(row['low'], row['high'], 2)}"
    if steps is None:
        return "not by half of the runs", share
    parts = [f"{frames:,.0f} frames"] if frames and frames != steps else []
    parts += [format_duration(seconds)] if seconds is not None else []
    return f"{steps:,.0f}", ", ".join([*parts, share])
