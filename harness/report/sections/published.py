"""Published numbers beside ours: one table for each metric, so that what is measured differently never shares one."""

from __future__ import annotations

from harness.analysis.published import CONFIDENCE, METRICS, POPULATION_DEVIATION, PublishedNumber
from harness.report.cells import METHOD
from harness.report.comparison import Match, PublishedComparison
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, Paragraph, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE, decimals_for, format_count, format_number, join_names

_PUBLISHED = (Column("Published", "number"), Column("Published as"), Column("Source"))


def build(suite: SuiteContext) -> Section | None:
    """Tables by metric; a single line when nothing was published of any task, nothing where none were asked for."""
    comparison = suite.comparison
    if comparison is None:
        return None
    found = dict.fromkeys(metric for metric in METRICS if any(match.number.metric == metric for match in comparison.matches))
    if not found:
        text = f"None of the {format_count(comparison.n_published, 'published number')} is of a task of this suite."
        return Section("Published numbers", (Paragraph(text),))
    explanation = (
        "What papers and public logs report on these tasks. A number stands beside ours only where both measure the same;"
        " each metric has its own table. Budgets, networks and settings differ: look at the steps before comparing, and at"
        " the source before quoting. A method counts as the published one if it has the same bonus and base algorithm,"
        " whatever its settings."
    )
    blocks = [block for metric in found for block in _blocks(comparison, metric)]
    return Section("Published numbers", (Paragraph(explanation), *blocks, _sources(comparison)))


def _blocks(comparison: PublishedComparison, metric: str) -> list[Block]:
    metric_info = METRICS[metric]
    matches = [match for match in comparison.matches if match.number.metric == metric]
    same = [match for match in matches if match.label is not None]
    others = [match for match in matches if match.label is None]
    kinds = sorted({match.number.spread_kind for match in matches} - {""})
    spread = f"; published ±: {join_names(list(map(_shown_kind, kinds)))}" if kinds else ""
    ours = "; ours: mean ± sample standard deviation over seeds" if metric_info.counterpart else ""
    blocks: list[Block] = [Paragraph(f"{metric_info.title}. {metric_info.meaning} {metric_info.caveat}")]
    if same:
        heads = [Column("Task"), METHOD, *([Column("Ours", "number")] if metric_info.counterpart else [])]
        cells = [
            (match.task, match.label or NO_VALUE, *([_own_result_cell(match)] if metric_info.counterpart else []))
            for match in same
        ]
        rows = tuple((*cell, *_published_cells(comparison, match.number)) for cell, match in zip(cells, same, strict=True))
        blocks.append(ReportTable(f"{metric_info.title} ({metric}){ours}{spread}.", (*heads, *_PUBLISHED), rows))
    if others:
        columns = (Column("Task"), *_PUBLISHED)
        rows = tuple((match.task, *_published_cells(comparison, match.number)) for match in others)
        further = f"{format_count(len(others), 'further published number')}, of methods that did not run here"
        caption = f"{metric_info.title} ({metric}): {further}."
        blocks.append(ReportTable(caption, columns, rows, collapsed=True))
    return blocks


def _published_cells(comparison: PublishedComparison, published: PublishedNumber) -> tuple[TableCell, TableCell, TableCell]:
    size = (published.steps, "steps") if published.steps else (published.frames, "frames")
    deviation = published.sample_deviation
    spread = published.spread if deviation is None else deviation
    value = _with_spread(published.value, spread), _run_summary(published.seeds, *size)
    return value, (published.method, published.remark), comparison.source_keys[published.source]


def _sources(comparison: PublishedComparison) -> ReportTable:
    taken = {match.number.source: match.number.confidence for match in comparison.matches}
    rows = tuple((mark, source, CONFIDENCE[taken[source]]) for source, mark in comparison.source_keys.items())
    return ReportTable(
        "Where these numbers stand.", (Column("Mark"), Column("Source"), Column("Taken from")), rows, collapsed=len(rows) > 12
    )


def _own_result_cell(match: Match) -> TableCell:
    if match.ours is None:
        return (NO_VALUE, match.remark) if match.remark else NO_VALUE
    value, sd, runs = match.ours
    return _with_spread(value, sd), _run_summary(runs, match.steps, "steps")


def _shown_kind(kind: str) -> str:
    """What a published spread is as shown: population deviations are converted where the number of seeds is known."""
    return "sample standard deviation over seeds, from the population one" if kind == POPULATION_DEVIATION else kind


def _with_spread(value: float, spread: float | None) -> str:
    decimals = decimals_for([value])
    return format_number(value, decimals) + ("" if spread is None else f" ± {format_number(spread, decimals)}")


def _run_summary(seeds: int | None, amount: int | None, unit: str) -> str:
    """How many runs of what length are behind a number, as far as it is stated."""
    parts = [f"n = {seeds}"] if seeds else []
    if amount:
        parts.append(f"{amount / 1e6:,.4g} M {unit}" if amount >= 1_000_000 else f"{amount:,} {unit}")
    return ", ".join(parts) or "runs not stated"
