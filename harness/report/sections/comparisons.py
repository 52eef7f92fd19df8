"""All methods against each other."""

from __future__ import annotations

import polars as pl

from harness.analysis.tables import Analysis
from harness.report.cells import METHOD, estimate_cell
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, Paragraph, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE, format_count, format_interval, format_number, format_p_value

_LONG = 12  # pairs


def build(suite: SuiteContext) -> Section | None:
    """Improvement of every method over every other, mean ranks, and tests of each pair; nothing where none share a task."""
    analysis = suite.analysis
    table = analysis.tables["comparisons"]
    if table.is_empty():
        return None
    blocks: list[Block] = [Paragraph(_EXPLANATION)]
    if len(analysis.methods) > 2:
        blocks.append(_matrix(analysis, table))
    if len(analysis.tables["ranks"]):
        blocks.append(_ranks(analysis))
    return Section("Comparisons of all methods", (*blocks, _tests(table)))


_EXPLANATION = (
    "Every pair of methods, over the tasks both have scores on. P values are of permutation tests within tasks, which hold"
    " whatever the scores and however few: the rank-sum test (Wilcoxon, Mann and Whitney) takes runs as independent, the"
    " signed-rank test (Wilcoxon) compares runs with the same seed, and the test of means compares normalised scores. Holm's"
    " correction is for the number of pairs in the table: without it, some pair stands out by chance the sooner the more"
    " there are. A seed gives two methods the same start and little else; r, the correlation of their scores with the same"
    " seed, shows whether pairs tell more than independent runs do. Choose a test before looking at its result."
    " comparisons.csv has all."
)


def _matrix(analysis: Analysis, table: pl.DataFrame) -> ReportTable:
    found: dict[tuple[str, str], TableCell] = {}
    for label, other, value, low, high in table.select("method", "other", "value", "low", "high").rows():
        found[label, other] = estimate_cell(value, low, high, 2)
        flipped = (None, None) if low is None or high is None else (1 - high, 1 - low)
        found[other, label] = estimate_cell(1 - value, *flipped, 2)
    columns = (METHOD, *(Column(label, "number", method=True) for label in analysis.methods))
    rows = tuple((label, *(found.get((label, other), NO_VALUE) for other in analysis.methods)) for label in analysis.methods)
    caption = (
        "P(row > column): the chance that a run of the row's method scores more than one of the column's, with 95 % intervals."
    )
    return ReportTable(caption, columns, rows)


def _ranks(analysis: Analysis) -> ReportTable:
    table = analysis.tables["ranks"].sort("value", maintain_order=True)
    columns = (METHOD, Column("Mean rank", "number"), Column("First in", "number"))
    rows = tuple(
        (label, estimate_cell(value, low, high, 2), NO_VALUE if first is None else f"{first:.0%}".replace("%", " %"))
        for label, value, low, high, first in table.select("method", "value", "low", "high", "first").rows()
    )
    tasks = table["tasks"][0]
    over = "the one task" if tasks == 1 else f"the {tasks} tasks"
    caption = (
        f"Ranks by mean score, averaged over {over} that all methods have scores on (1 is best), with 95 % intervals, and the"
        " share of resamples in which a method is first. Ranks say nothing of how large differences are."
    )
    return ReportTable(caption, columns, rows)


def _tests(table: pl.DataFrame) -> ReportTable:
    heads = ("Rank sum", "after Holm", "Signed rank", "Difference of means")
    columns = (METHOD, Column("against", "method"), *(Column(head, "number") for head in heads))
    rows = tuple(_test_row(row) for row in table.rows(named=True))
    caption = "P values of each pair, over all tasks that both have scores on; small ones speak against chance."
    return ReportTable(caption, columns, rows, collapsed=len(rows) > _LONG)


def _test_row(row: dict[str, float | None]) -> tuple[TableCell, ...]:
    difference, r = row["difference"], row["correlation"]
    pairs = format_count(int(row["pairs"] or 0), "pair") + ("" if r is None else f", r = {format_number(r, 2)}")
    means = NO_VALUE if difference is None else (format_number(difference), _p(row["p_difference"]))
    chance = f"P = {format_number(row['value'], 2)} {format_interval(row['low'], row['high'], 2)}"
    return (
        str(row["method"]),
        str(row["other"]),
        (_p(row["p_rank_sum"]), chance),
        _p(row["p_holm"]),
        (_p(row["p_signed_rank"]), pairs),
        means,
    )


def _p(value: float | None) -> str:
    return NO_VALUE if value is None else format_p_value(value)
