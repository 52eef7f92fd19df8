"""How often each method is better than the baseline."""

from __future__ import annotations

import polars as pl

from harness.report.cells import estimate_cell
from harness.report.context import SuiteContext
from harness.report.document import Column, FigureBlock, Paragraph, ReportTable, Section, TableCell


def build(suite: SuiteContext) -> Section:
    """The probability of improvement over the baseline, over all tasks and on each."""
    analysis, plots = suite.analysis, suite.plots
    plot = plots.improvement()
    if plot is None:
        if analysis.baseline is None:
            text = "There is no baseline to compare with here, so no probability of improvement is given."
        else:
            text = f"No method shares a task with finished runs with the baseline {analysis.baseline}."
        return Section("Probability of improvement", (Paragraph(text),))
    table = analysis.tables["improvement"]
    explanation = (
        f"The chance that a run of the method, drawn at random, scores more than a run of {analysis.baseline} on the"
        " same task, averaged over the tasks both have scores for; ties count half. At 0.5 (dashed) neither is better."
        " An interval that includes 0.5 leaves the question open. The number says how often the method is better, not"
        " by how much; [1.00, 1.00] says that these runs separate completely, not that all others would."
    )
    labels = table["method"].unique(maintain_order=True).to_list()
    columns = (Column("Task"), *(Column(label, "number", method=True) for label in labels))
    tasks = [None, *analysis.tasks["task"]]
    rows: list[tuple[TableCell, ...]] = []
    for task in tasks:
        part = table.filter(pl.col("task").eq_missing(pl.lit(task)))
        found = {label: (value, low, high) for label, value, low, high in part.select("method", "value", "low", "high").rows()}
        cells = [estimate_cell(*found.get(label, (None, None, None)), decimals=2) for label in labels]
        rows.append((task or "all common tasks", *cells))
    return Section(
        "Probability of improvement",
        (
            Paragraph(explanation),
            FigureBlock(plot),
            ReportTable(f"P(method > {analysis.baseline}), task by task.", columns, tuple(rows)),
        ),
    )
