"""Published numbers beside ours: one table for each metric, so that what is measured differently never shares one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from harness.analysis.published import CONFIDENCE, METRICS, PublishedNumber
from harness.analysis.tables import Analysis
from harness.report.document import Block, Column, Paragraph, ReportSection, ReportTable, TableCell
from harness.report.drawing import Style
from harness.report.sections.scores import METHOD
from harness.report.wording import NO_VALUE, decimals_for, format_count, format_number, join_names
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder, RunRecord
from harness.spec import RunSpec

RunRecords = Mapping[str, RunRecord]

SCHEMA: Mapping[str, type[pl.DataType]] = {
    **dict.fromkeys(("suite", "task", "method", "metric", "published_environment", "published_method"), pl.String),
    **dict.fromkeys(("published", "published_spread"), pl.Float64),
    "spread_kind": pl.String,
    **dict.fromkeys(("published_seeds", "published_frames", "published_steps"), pl.Int64),
    **dict.fromkeys(("value", "sd"), pl.Float64),
    **dict.fromkeys(("runs", "steps"), pl.Int64),
    **dict.fromkeys(("source", "confidence", "remark"), pl.String),
}
"""Columns of published.csv and published_clipped.csv. A null ``method`` means that none of ours is the published one, and
``value`` is ours."""


_PUBLISHED = (Column("Published", "number"), Column("Published as"), Column("Source"))


class OwnResult(NamedTuple):
    """What our runs of a task and method measured: mean and standard deviation over ``runs`` seeds."""

    value: float
    sd: float | None
    runs: int


@dataclass(frozen=True)
class _Match:
    task: str
    label: str | None
    number: PublishedNumber
    ours: OwnResult | None
    steps: int | None


class PublishedComparison:
    """A suite's runs and the published numbers of its tasks.

    Args:
        analysis: The suite's numbers.
        records: The full record of each run, by folder.
        numbers: What was published, on whatever environments.
    """

    def __init__(self, analysis: Analysis, records: RunRecords, numbers: Sequence[PublishedNumber]) -> None:
        self.analysis, self._records, self._n_published = analysis, records, len(numbers)
        self._matches = [match for task in analysis.tasks["task"] for match in self._matches_of(task, numbers)]
        sources = dict.fromkeys(match.number.source for match in self._matches)
        self._source_keys = {source: f"S{i}" for i, source in enumerate(sources, 1)}

    def table(self, *, clipped: bool) -> pl.DataFrame:
        """Every match whose metric is of clipped rewards, or every other: the two never share a table."""
        rows = [self._row(match) for match in self._matches if METRICS[match.number.metric].clipped == clipped]
        return pl.DataFrame(rows, schema=dict(SCHEMA), orient="row")

    def section(self, styles: Mapping[str, Style]) -> ReportSection:
        """Tables by metric; a single line when nothing was published of any task."""
        found = dict.fromkeys(metric for metric in METRICS if any(match.number.metric == metric for match in self._matches))
        if not found:
            text = f"None of the {format_count(self._n_published, 'published number')} is of a task of this suite."
            return ReportSection("Published numbers", (Paragraph(text),))
        explanation = (
            "What papers and public logs report on these tasks. A number stands beside ours only where both measure the same;"
            " each metric has its own table. Budgets, networks and settings differ: look at the steps before comparing, and at"
            " the source before quoting. A method counts as the published one if it has the same bonus and base algorithm,"
            " whatever its settings."
        )
        blocks = [block for metric in found for block in self._blocks(metric)]
        return ReportSection("Published numbers", (Paragraph(explanation), *blocks, self._sources()), styles=styles)

    # ----------------------------------------------------------------------------------------------------------------
    def _matches_of(self, task: str, numbers: Sequence[PublishedNumber]) -> list[_Match]:
        """Numbers with a method of ours first, in the order of our methods; then those of others."""
        specs = self._specs(task)
        of_task = [number for number in numbers if any(map(number.matches_task, specs.values()))]
        order = [label for label in self.analysis.methods if label in specs]
        matches = [
            _Match(task, label, number, self._own_result(task, label, number.metric), specs[label].steps)
            for label in order
            for number in of_task
            if number.matches_task(specs[label]) and number.matches_method(specs[label])
        ]
        known = {id(match.number) for match in matches}
        return matches + [_Match(task, None, number, None, None) for number in of_task if id(number) not in known]

    def _specs(self, task: str) -> dict[str, RunSpec]:
        read = (
            self.analysis.current_runs.filter(task=task)
            .drop_nulls("folder")
            .unique("label", keep="first", maintain_order=True)
        )
        return {label: self._records[folder].spec for label, folder in read.select("label", "folder").rows()}

    def _own_result(self, task: str, label: str, metric: str) -> OwnResult | None:
        match METRICS[metric].counterpart:
            case "score":
                cell = self.analysis.tables["tasks"].filter(task=task, method=label)
                (value, sd, runs) = cell.select("value", "sd", "scores").row(0)
                return None if value is None else OwnResult(value, sd, runs)
            case "success":
                cell = self.analysis.tables["measurements"].filter(task=task, method=label, measurement="success")
                return OwnResult(*cell.select("mean", "sd", "runs").row(0)) if len(cell) else None
            case "training_return":
                folders = self.analysis.current_runs.filter(task=task, label=label, state="finished").sort("seed")["folder"]
                means = [mean for folder in folders if (mean := training_return(folder)) is not None]
                spread = float(np.std(means, ddof=1)) if len(means) > 1 else None
                return OwnResult(float(np.mean(means)), spread, len(means)) if means else None
            case None:
                return None

    def _row(self, match: _Match) -> tuple[object, ...]:
        number, ours = match.number, match.ours or (None, None, None)
        return (
            *(self.analysis.suite, match.task, match.label, number.metric, number.environment, number.method),
            *(number.value, number.spread, number.spread_kind or None, number.seeds, number.frames, number.steps),
            *(*ours, match.steps, number.source, number.confidence, number.remark or None),
        )

    # ----------------------------------------------------------------------------------------------------------------
    def _blocks(self, metric: str) -> list[Block]:
        metric_info = METRICS[metric]
        matches = [match for match in self._matches if match.number.metric == metric]
        same = [match for match in matches if match.label is not None]
        others = [match for match in matches if match.label is None]
        kinds = sorted({match.number.spread_kind for match in matches} - {""})
        spread = f"; published ±: {join_names(kinds)}" if kinds else ""
        ours = "; ours: mean ± standard deviation over seeds" if metric_info.counterpart else ""
        blocks: list[Block] = [Paragraph(f"{metric_info.title}. {metric_info.meaning} {metric_info.caveat}")]
        if same:
            heads = [Column("Task"), METHOD, *([Column("Ours", "number")] if metric_info.counterpart else [])]
            cells = [
                (match.task, match.label or NO_VALUE, *([_own_result_cell(match)] if metric_info.counterpart else []))
                for match in same
            ]
            rows = tuple((*cell, *self._published_cells(match.number)) for cell, match in zip(cells, same, strict=True))
            blocks.append(ReportTable(f"{metric_info.title} ({metric}){ours}{spread}.", (*heads, *_PUBLISHED), rows))
        if others:
            columns = (Column("Task"), *_PUBLISHED)
            rows = tuple((match.task, *self._published_cells(match.number)) for match in others)
            further = f"{format_count(len(others), 'further published number')}, of methods that did not run here"
            caption = f"{metric_info.title} ({metric}): {further}."
            blocks.append(ReportTable(caption, columns, rows, collapsed=True))
        return blocks

    def _published_cells(self, published: PublishedNumber) -> tuple[TableCell, TableCell, TableCell]:
        size = (published.steps, "steps") if published.steps else (published.frames, "frames")
        value = _with_spread(published.value, published.spread), _run_summary(published.seeds, *size)
        return value, (published.method, published.remark), self._source_keys[published.source]

    def _sources(self) -> ReportTable:
        taken = {match.number.source: match.number.confidence for match in self._matches}
        rows = tuple((mark, source, CONFIDENCE[taken[source]]) for source, mark in self._source_keys.items())
        return ReportTable(
            "Where these numbers stand.", (Column(""), Column("Source"), Column("Taken from")), rows, collapsed=len(rows) > 12
        )


def training_return(folder: str) -> float | None:
    """The mean of a run's ``rollout/ep_rew_mean`` over its steps; ``None`` where nothing was logged.

    Args:
        folder: Of the run. Each row of its progress.csv counts for the steps since the row before; rows before the first
            episode's end have no return and do not count.
    """
    _, rows = read_csv_rows(RunFolder(Path(folder)).progress_file)
    steps = np.array([_float(row.get("time/total_timesteps")) for row in rows])
    returns = np.array([_float(row.get("rollout/ep_rew_mean")) for row in rows])
    weights = np.diff(steps, prepend=0.0)
    usable = np.isfinite(returns) & (weights > 0)
    return float(np.average(returns[usable], weights=weights[usable])) if usable.any() else None


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def _own_result_cell(match: _Match) -> TableCell:
    if match.ours is None:
        return NO_VALUE
    value, sd, runs = match.ours
    return _with_spread(value, sd), _run_summary(runs, match.steps, "steps")


def _with_spread(value: float, spread: float | None) -> str:
    decimals = decimals_for([value])
    return format_number(value, decimals) + ("" if spread is None else f" ± {format_number(spread, decimals)}")


def _run_summary(seeds: int | None, amount: int | None, unit: str) -> str:
    """How many runs of what length are behind a number, as far as it is stated."""
    parts = [f"n = {seeds}"] if seeds else []
    if amount:
        parts.append(f"{amount / 1e6:,.4g} M {unit}" if amount >= 1_000_000 else f"{amount:,} {unit}")
    return ", ".join(parts) or "runs not stated"
