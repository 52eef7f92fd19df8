"""What a suite's part of the report begins with."""

from __future__ import annotations

import polars as pl

from harness.analysis.tables import Analysis
from harness.report.context import SuiteContext
from harness.report.document import Block, BulletList, Paragraph, Section
from harness.report.warnings import ADEQUATE_SEEDS, collect_warnings
from harness.report.wording import format_count, format_interval, format_number, join_names


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
    if warned := collect_warnings(analysis, suite.records):
        blocks.append(BulletList(tuple(warned), warning=True))
    return Section(f"Suite {analysis.suite}", tuple(blocks), level=2)


def _findings(analysis: Analysis) -> list[str]:
    """What the intervals allow one to say, a sentence for each method."""
    iqms = analysis.tables["aggregates"].filter(metric="iqm").select("method", "value", "low", "high").rows()
    parts = [f"{label} {format_number(value)} {format_interval(low, high)}" for label, value, low, high in iqms]
    sentences = [f"Interquartile mean of normalised scores: {join_names(parts, most=len(parts))}."] if parts else []
    overall = analysis.tables["improvement"].filter(pl.col("task").is_null())
    for label, value, low, high, seeds in overall.select("method", "value", "low", "high", "fewest_seeds").rows():
        claim = f"A run of {label} scores more than a run of {analysis.baseline} with probability {format_number(value, 2)}"
        sentences.append(f"{claim} {format_interval(low, high, 2)}: {_verdict(low, high, seeds)}.")
    return sentences


def _verdict(low: float | None, high: float | None, seeds: int) -> str:
    if low is None or high is None:
        return "too few seeds to judge"
    if low <= 0.5 <= high:
        return "the interval includes one half, so these runs do not decide"
    outcome = "better more often than not" if low > 0.5 else "worse more often than not"
    return outcome if seeds >= ADEQUATE_SEEDS else f"{outcome}, as far as {seeds} seeds per task can tell"
