"""Scores over all tasks together."""

from __future__ import annotations

from harness.analysis import statistics
from harness.report.cells import METHOD, estimate_cell
from harness.report.context import SuiteContext
from harness.report.document import Column, FigureBlock, Paragraph, ReportTable, Section, TableCell
from harness.report.reliability import overlap_of_intervals


def build(suite: SuiteContext) -> Section:
    """Every aggregate score with its interval, drawn and in a table."""
    analysis, plots = suite.analysis, suite.plots
    table, plot = analysis.tables["aggregates"], plots.aggregates()
    if plot is None:
        text = "No finished run on a task with normalisation constants: there is nothing to aggregate. Raw scores stand below."
        return Section("Aggregate scores", (Paragraph(text),))
    heads = ("IQM", "Median", "Mean", "Optimality gap")
    columns = (METHOD, *(Column(head, "number") for head in heads), Column("Tasks", "number"), Column("Runs", "number"))
    rows: list[tuple[TableCell, ...]] = []
    for label in table["method"].unique(maintain_order=True):
        part = table.filter(method=label)
        estimates = {metric: ends for metric, *ends in part.select("metric", "value", "low", "high").rows()}
        tasks, of_tasks, runs, of_runs = part.select("tasks", "of_tasks", "runs", "of_runs").row(0)
        cells = [estimate_cell(*estimates[metric]) for metric in statistics.AGGREGATE_METRICS]
        rows.append((label, *cells, f"{tasks}/{of_tasks}{'' if tasks == of_tasks else ' †'}", f"{runs}/{of_runs}"))
    explanation = (
        "Over all tasks together. IQM is the mean of the middle half of all runs: less noisy than the median, less"
        " moved by outliers than the mean. Median and mean are taken over the tasks' mean scores. The optimality gap is"
        " how far runs stay below a normalised score of 1 on average, so smaller is better. Bars are 95 % intervals, the"
        f" ticks across them the values. {overlap_of_intervals(analysis.intervals)}"
    )
    caption = "Value and 95 % interval; tasks with a score of all that can be normalised; runs with a score of all planned."
    return Section(
        "Aggregate scores",
        (
            Paragraph(explanation),
            FigureBlock(plot),
            ReportTable(caption, columns, tuple(rows)),
        ),
    )
