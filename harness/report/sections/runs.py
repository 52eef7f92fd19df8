"""How the runs stand."""

from __future__ import annotations

import polars as pl

from harness.analysis.tables import STATES
from harness.report.cells import METHOD
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE

_ABANDONED = (
    "Unfinished runs of abandoned settings: the same method was asked for on the same task under others since, and no run of"
    " these ever finished. They count nowhere above; 'harness prune' removes them."
)
_PRETRAINING = "Pre-training runs, from which others begin. They have no score and count in no number above."


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
        blocks.append(_scoreless("Pre-training", analysis.pretraining, _PRETRAINING))
    if len(suite.abandoned):
        blocks.append(_scoreless("Task", suite.abandoned, _ABANDONED))
    return Section("Runs", tuple(blocks))


def _scoreless(kind: str, runs: pl.DataFrame, caption: str) -> ReportTable:
    """Runs that count in no number, each by name.

    Args:
        kind: The head of the first column, which holds their tasks.
        runs: A row for each run.
        caption: What they are.
    """
    columns = (
        Column(kind),
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
    return ReportTable(caption, columns, rows, collapsed=len(rows) > 20)


def _format_progress(step: int | None, steps: int | None) -> str:
    return NO_VALUE if step is None else f"{step:,} of {steps:,}"
