"""How often each method is better than the baseline."""

from __future__ import annotations

import polars as pl

from harness.report.context import SuiteContext
from harness.report.document import Column, FigureBlock, Paragraph, ReportTable, Section, TableCell
from harness.report.reliability import rate_of_verdicts
from harness.report.wording import NO_VALUE, format_interval, format_number, format_p_value


def build(suite: SuiteContext) -> Section:
    """The probability of improvement over the baseline, over all tasks and on each."""
    analysis, plots = suite.analysis, suite.plots
    table, plot = analysis.tables["improvement"], plots.improvement()
    if table.is_empty():
        if analysis.baseline is None:
            text = "There is no baseline to compare with here, so no probability of improvement is given."
        else:
            text = f"No method shares a task with finished runs with the baseline {analysis.baseline}."
        return Section("Probability of improvement", (Paragraph(text),))
    explanation = (
        f"The chance that a run of the method, drawn at random, scores more than a run of {analysis.baseline} on the"
        " same task, averaged over the tasks both have scores for; ties count half. At 0.5 (dashed) neither is better."
        " The number says how often the method is better, not by how much; [1.00, 1.00] says that these runs separate"
        f" completely, not that all others would. {rate_of_verdicts()}"
    )
    caption = f"P(method > {analysis.baseline}) with 95 % intervals and p values, task by task."
    labels = table["method"].unique(maintain_order=True).to_list()
    columns = (Column("Task"), *(Column(label, "number", method=True) for label in labels))
    tasks = [None, *analysis.tasks["task"]]
    rows: list[tuple[TableCell, ...]] = []
    for task in tasks:
        part = table.filter(pl.col("task").eq_missing(pl.lit(task)))
        found = {label: ends for label, *ends in part.select("method", "value", "low", "high", "p_value").rows()}
        cells = [_cell(*found[label]) if label in found else NO_VALUE for label in labels]
        rows.append((task or "all common tasks", *cells))
    figure = (FigureBlock(plot),) if plot else ()
    blocks = (Paragraph(explanation), *figure, ReportTable(caption, columns, tuple(rows)))
    return Section("Probability of improvement", blocks)


def _cell(value: float, low: float | None, high: float | None, p_value: float) -> TableCell:
    return format_number(value, 2), f"{format_interval(low, high, 2)}, {format_p_value(p_value)}"
