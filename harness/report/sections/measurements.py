"""What tasks measure beside the return."""

from __future__ import annotations

from harness.report.cells import spread_cell
from harness.report.context import SuiteContext
from harness.report.document import Column, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE, decimals_for, format_interval

_FACTS = ("mean", "sd", "runs", "successes", "low", "high")


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
        found = {label: facts for label, *facts in part.select("method", *_FACTS).rows()}
        cells = [_cell(decimals, *found[label]) if label in found else NO_VALUE for label in analysis.methods]
        rows.append((str(task), str(name), *cells))
    caption = (
        "What the tasks measure beside the return, at the last evaluation: mean ± standard deviation over seeds. Where each"
        " run succeeded in all of its episodes or in none, successes are counted, with the 95 % interval of Clopper and"
        " Pearson: it holds at every number of runs, and with few of them it is as wide as the truth is unknown."
    )
    return Section("Other measurements", (ReportTable(caption, columns, tuple(rows)),))


def _cell(
    decimals: int, mean: float, sd: float | None, runs: int, successes: int | None, low: float | None, high: float | None
) -> TableCell:
    if successes is None:
        return spread_cell(mean, sd, runs, decimals)
    return f"{successes} of {runs}", format_interval(low, high, 2)
