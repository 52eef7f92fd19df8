"""Scores task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from harness.analysis.parts import parts_of
from harness.report.cells import frames_note, phases_note
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, FigureBlock, Paragraph, ReportTable, Section, TableCell
from harness.report.reliability import bands
from harness.report.wording import decimals_for, format_number, join_names


def build(suite: SuiteContext) -> Section:
    """Raw scores and learning curves of each task."""
    analysis, plots = suite.analysis, suite.plots
    explanation = (
        "Raw scores: the mean return of the last evaluation's episodes, in the environment's own unclipped reward,"
        " averaged over seeds. The curves show the mean over seeds of every evaluation, with 95 % bands where there are"
        f" enough seeds.{frames_note(suite.analysis)}{phases_note(suite.plots)} {bands(analysis.intervals, 'curve', 1)}"
        " Where all seeds of a method score the same a band has no width, which is no certainty about other seeds."
        f"{plots.seeds.note if plots.seeds else ''}"
    )
    columns = (Column("Task"), *(Column(label, "number", method=True) for label in analysis.methods))
    table = analysis.tables["tasks"]
    parts = parts_of(table, "task")
    rows = [(task, *_task_cells(parts[task,], analysis.methods)) for task in analysis.tasks["task"]]
    caption = "Mean ± standard deviation over seeds, and the number of runs with a score of all planned."
    blocks: list[Block] = [Paragraph(explanation), ReportTable(caption, columns, tuple(rows))]
    without = plots.tasks_without_curves()
    if without:
        blocks.append(Paragraph(f"No curve is drawn where it would show nothing: {_reasons(without)}."))
    plot = plots.task_curves()
    return Section("Tasks", (*blocks, FigureBlock(plot)) if plot else tuple(blocks))


def _reasons(without: Mapping[str, str]) -> str:
    """Tasks by the reason why they have no curve."""
    tasks: dict[str, list[str]] = {}
    for task, reason in without.items():
        tasks.setdefault(reason, []).append(task)
    return "; ".join(f"{reason} on {join_names(names)}" for reason, names in tasks.items())


def _task_cells(part: pl.DataFrame, labels: Sequence[str]) -> list[TableCell]:
    decimals = decimals_for(part["value"])
    facts = {label: found for label, *found in part.select("method", "value", "sd", "scores", "planned").rows()}
    cells: list[TableCell] = []
    for label in labels:
        value, sd, scores, planned = facts[label]
        spread = "" if sd is None else f" ± {format_number(sd, decimals)}"
        cells.append((f"{format_number(value, decimals)}{spread}", f"{scores}/{planned}"))
    return cells
