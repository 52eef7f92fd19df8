"""What tasks measure beside the return."""

from __future__ import annotations

from harness.report.cells import spread_cell
from harness.report.context import SuiteContext
from harness.report.document import Column, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE, decimals_for


def build(suite: SuiteContext) -> Section | None:
    """Means and spreads at the last evaluation; nothing where tasks measure nothing else."""
    analysis = suite.analysis
    table = analysis.tables["measurements"]
    if table.is_empty():
        return None
    columns = (Column("Task"), Column("Measured"), *(Column(label, "number", method=True) for label in analysis.methods))
    rows: list[tuple[TableCell, ...]] = []
    for (task, name), part in table.group_by("task", "measurement", maintain_order=True):
        decimals = decimals_for(part["mean"])
        found = {label: (mean, sd, n) for label, mean, sd, n in part.select("method", "mean", "sd", "runs").rows()}
        cells = [spread_cell(*found[label], decimals) if label in found else NO_VALUE for label in analysis.methods]
        rows.append((str(task), str(name), *cells))
    caption = "What the tasks measure beside the return, at the last evaluation: mean ± standard deviation over seeds."
    return Section("Other measurements", (ReportTable(caption, columns, tuple(rows)),))
