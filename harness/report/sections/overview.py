"""What a suite's part of the report begins with."""

from __future__ import annotations

import polars as pl

from harness.analysis.significance import SIGNIFICANCE_LEVEL
from harness.analysis.tables import Analysis
from harness.report.context import SuiteContext
from harness.report.document import Block, BulletList, Paragraph, Section
from harness.report.remarks import collect_remarks
from harness.report.warnings import collect_warnings, only_successes
from harness.report.wording import format_count, format_interval, format_number, format_p_value, join_names


def build(suite: SuiteContext) -> Section:
    """How much there is, what the intervals allow one to say, and what must be known before trusting a number."""
    analysis = suite.analysis
    states = analysis.current_runs["state"].to_list()
    planned = format_count(len(states), "run")
    subtitle = (
        f"{format_count(len(analysis.methods), 'method')} on {format_count(len(analysis.tasks), 'task')};"
        f" {states.count('finished'):,} of"
        f" {planned} finished."
    )
    blocks: list[Block] = [Paragraph(subtitle + (f" The baseline is {analysis.baseline}." if analysis.baseline else ""))]
    if found := _findings(analysis):
        blocks.append(BulletList(tuple(found)))
    if warned := [*collect_warnings(analysis, suite.records), *collect_remarks(suite)]:
        blocks.append(BulletList(tuple(warned), warning=True))
    return Section(f"Suite {analysis.suite}", tuple(blocks), level=2)


def _findings(analysis: Analysis) -> list[str]:
    """What the intervals allow one to say, a sentence for each method."""
    metric, name = ("mean", "Success rate") if only_successes(analysis) else ("iqm", "Interquartile mean of normalised scores")
    estimates = analysis.tables["aggregates"].filter(metric=metric).select("method", "value", "low", "high").rows()
    parts = [f"{label} {format_number(value)} {_in_a_sentence(low, high)}" for label, value, low, high in estimates]
    sentences = [f"{name}: {join_names(parts, most=len(parts))}."] if parts else []
    overall = analysis.tables["improvement"].filter(pl.col("task").is_null())
    for label, value, low, high, p_value in overall.select("method", "value", "low", "high", "p_value").rows():
        claim = f"A run of {label} scores more than a run of {analysis.baseline} with probability {format_number(value, 2)}"
        sentences.append(f"{claim} {_in_a_sentence(low, high, 2)}: {_verdict(value, low, p_value)}.")
    return sentences


def _in_a_sentence(low: float | None, high: float | None, decimals: int = 3) -> str:
    interval = format_interval(low, high, decimals)
    return interval if interval.startswith("[") else f"({interval})"


def _verdict(value: float, low: float | None, p_value: float) -> str:
    """What may be said: wrong in no more than 5 % of comparisons of methods that do not differ."""
    if low is None:
        return "too few seeds to judge"
    if p_value >= SIGNIFICANCE_LEVEL:
        return f"these runs do not decide ({format_p_value(p_value)})"
    return f"{'better' if value > 0.5 else 'worse'} more often than not ({format_p_value(p_value)})"
