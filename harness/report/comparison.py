"""Which published numbers are of the tasks and methods of a suite, and what our runs measured there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from harness.analysis.published import METRICS, PublishedNumber
from harness.analysis.tables import Analysis
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable, to_number
from harness.runs.results import RunRecords
from harness.spec import RunSpec

SCHEMA: Mapping[str, type[pl.DataType]] = {
    **dict.fromkeys(("suite", "task", "method", "metric", "published_environment", "published_method"), pl.String),
    **dict.fromkeys(("published", "published_spread"), pl.Float64),
    "spread_kind": pl.String,
    "published_sd": pl.Float64,
    **dict.fromkeys(("published_seeds", "published_frames", "published_steps"), pl.Int64),
    **dict.fromkeys(("value", "sd"), pl.Float64),
    **dict.fromkeys(("runs", "steps"), pl.Int64),
    **dict.fromkeys(("source", "confidence", "remark"), pl.String),
}
"""Columns of published.csv and published_clipped.csv. A null ``method`` means that none of ours is the published one, and
``value`` is ours. ``published_sd`` is a population deviation that was published, as the sample deviation that ``sd`` is."""


HELD_OUT = "held_out"
"""The measurement that is 1 for episodes on levels that training never saw."""

_LARGEST = 1e100


class OwnResult(NamedTuple):
    """What our runs of a task and method measured: mean and standard deviation over ``runs`` seeds."""

    value: float
    sd: float | None
    runs: int


@dataclass(frozen=True)
class Match:
    """A published number and what of ours stands beside it; without a ``label``, nothing does. ``remark`` says why not."""

    task: str
    label: str | None
    number: PublishedNumber
    ours: OwnResult | None
    steps: int | None
    remark: str = ""


class PublishedComparison:
    """A suite's runs and the published numbers of its tasks.

    Args:
        analysis: The suite's numbers.
        records: The full record of each run, by folder.
        numbers: What was published, on whatever environments.

    Attributes:
        matches: The published numbers of the suite's tasks, each with what ours measured.
        source_keys: A short key for each source of ``matches``, such as ``S1``.
    """

    def __init__(self, analysis: Analysis, records: RunRecords, numbers: Sequence[PublishedNumber]) -> None:
        self.analysis, self._records, self.n_published = analysis, records, len(numbers)
        self.matches = [match for task in analysis.tasks["task"] for match in self._matches_of(task, numbers)]
        sources = dict.fromkeys(match.number.source for match in self.matches)
        self.source_keys = {source: f"S{i}" for i, source in enumerate(sources, 1)}

    def table(self, *, clipped: bool) -> pl.DataFrame:
        """Every match whose metric is of clipped rewards, or every other: the two never share a table."""
        rows = [self._row(match) for match in self.matches if METRICS[match.number.metric].clipped == clipped]
        return pl.DataFrame(rows, schema=dict(SCHEMA), orient="row")

    def _matches_of(self, task: str, numbers: Sequence[PublishedNumber]) -> list[Match]:
        """Numbers with a method of ours first, in the order of our methods; then those of others."""
        specs = self._specs(task)
        of_task = [number for number in numbers if any(map(number.matches_task, specs.values()))]
        order = [label for label in self.analysis.methods if label in specs]
        matches = [
            self._match(task, label, number, specs[label].steps)
            for label in order
            for number in of_task
            if number.matches_task(specs[label]) and number.matches_method(specs[label])
        ]
        known = {id(match.number) for match in matches}
        return matches + [Match(task, None, number, None, None) for number in of_task if id(number) not in known]

    def _match(self, task: str, label: str, number: PublishedNumber, steps: int) -> Match:
        counterpart, held_out = METRICS[number.metric].counterpart, self._is_held_out(task, label)
        if counterpart in ("score", "success") and held_out:
            return Match(task, label, number, None, steps, "ours is of held-out levels")
        if counterpart == "held_out_score" and not held_out:
            return Match(task, label, number, None, steps, "ours is of training's levels")
        return Match(task, label, number, self._own_result(task, label, number.metric), steps)

    def _is_held_out(self, task: str, label: str) -> bool:
        """Whether a method's runs were evaluated on levels that training never saw."""
        cell = self.analysis.tables["measurements"].filter(task=task, method=label, measurement=HELD_OUT)
        return len(cell) > 0 and cell["mean"].item() > 0

    def _specs(self, task: str) -> dict[str, RunSpec]:
        read = (
            self.analysis.current_runs.filter(task=task)
            .drop_nulls("folder")
            .unique("label", keep="first", maintain_order=True)
        )
        return {label: self._records[folder].spec for label, folder in read.select("label", "folder").rows()}

    def _own_result(self, task: str, label: str, metric: str) -> OwnResult | None:
        match METRICS[metric].counterpart:
            case "score" | "held_out_score":
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

    def _row(self, match: Match) -> tuple[object, ...]:
        number, ours = match.number, match.ours or (None, None, None)
        return (
            *(self.analysis.suite, match.task, match.label, number.metric, number.environment, number.method),
            *(number.value, number.spread, number.spread_kind or None, number.sample_deviation),
            *(number.seeds, number.frames, number.steps),
            *(*ours, match.steps, number.source, number.confidence, number.remark or None),
        )


def training_return(folder: str) -> float | None:
    """The mean of a run's ``rollout/ep_rew_mean`` over its steps; ``None`` where nothing was logged.

    Args:
        folder: Path of the run's folder. Each row of its progress.csv counts for the steps since the row before; rows before
            the first episode's end have no return and do not count.
    """
    try:
        _, rows = read_csv_rows(RunFolder(Path(folder)).progress_file)
    except Unreadable:  # then it says nothing
        return None
    steps = np.array([_finite(row.get("time/total_timesteps")) for row in rows])
    returns = np.array([_finite(row.get("rollout/ep_rew_mean")) for row in rows])
    weights = np.diff(steps, prepend=0.0)
    usable = np.isfinite(returns) & np.isfinite(weights) & (weights > 0)
    return float(np.average(returns[usable], weights=weights[usable])) if usable.any() else None


def _finite(text: str | None) -> float:
    """The number in a cell; NaN for what is none, or larger than any step or return."""
    number = to_number(text)
    return number if number is not None and abs(number) < _LARGEST else float("nan")
