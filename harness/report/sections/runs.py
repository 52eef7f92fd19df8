"""How the runs stand."""

from __future__ import annotations

import polars as pl

from harness.analysis.tables import STATES, Analysis
from harness.report.cells import METHOD
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE


def build(suite: SuiteContext) -> Section:
    """Runs by method and state, and each one without a final score by name."""
    analysis = suite.analysis
    runs = analysis.current_runs
    columns = (METHOD, Column("planned", "number"), *(Column(state, "number") for state in STATES))
    rows: list[tuple[TableCell, ...]] = []
    for label in analysis.methods:
        states = runs.filter(label=label)["state"].to_list()
        rows.append((label, str(len(states)), *(str(states.count(state)) for state in STATES)))
    blocks: list[Block] = [ReportTable("How the runs stand.", columns, tuple(rows))]
    pending = runs.filter(pl.col("state") != "finished").sort("task", "label", "seed")
    if len(pending):
        heads = (Column("Task"), METHOD, Column("Seed", "number"), Column("State"), Column("Step", "number"), Column("Reason"))
        facts = pending.select("task", "label", "seed", "state", "step", "steps", "error").rows()
        lines = tuple(
            (task, label, str(seed), state, _format_progress(step, steps), error or "")
            for task, label, seed, state, step, steps, error in facts
        )
        blocks.append(ReportTable("Runs without a final score, each by name.", heads, lines, collapsed=len(lines) > 20))
    if len(analysis.pretraining):
        blocks.append(_pretraining(analysis))
    if len(suite.abandoned):
        blocks.append(_abandoned(suite.abandoned))
    return Section("Runs", tuple(blocks))


def _abandoned(runs: pl.DataFrame) -> ReportTable:
    columns = (
        Column("Task"),
        METHOD,
        Column("Seed", "number"),
        Column("State"),
        Column("Step", "number"),
        Column("Digest"),
        Column("Reason"),
    )
    facts = runs.select("task", "method", "seed", "state", "step", "steps", "digest", "error").rows()
    rows = tuple(
        (task, method, str(seed), state, _format_progress(step, steps), digest, error or "")
        for task, method, seed, state, step, steps, digest, error in facts
    )
    caption = (
        "Unfinished runs of abandoned settings: the same method was asked for on the same task under others since, and no run"
        " of these ever finished. They count nowhere above; 'harness prune' removes them."
    )
    return ReportTable(caption, columns, rows, collapsed=len(rows) > 20)


def _pretraining(analysis: Analysis) -> ReportTable:
    columns = (
        Column("Pre-training"),
        METHOD,
        Column("Seed", "number"),
        Column("State"),
        Column("Step", "number"),
        Column("Digest"),
        Column("Reason"),
    )
    facts = analysis.pretraining.select("task", "method", "seed", "state", "step", "steps", "digest", "error").rows()
    rows = tuple(
        (task, method, str(seed), state, _format_progress(step, steps), digest, error or "")
        for task, method, seed, state, step, steps, digest, error in facts
    )
    caption = "Pre-training runs, from which others begin. They have no score and count in no number above."
    return ReportTable(caption, columns, rows, collapsed=len(rows) > 20)


def _format_progress(step: int | None, steps: int | None) -> str:
    return NO_VALUE if step is None else f"{step:,} of {steps:,}"
