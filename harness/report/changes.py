"""What changed between two folders of results: of each method that both have, how its scores changed, and its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from harness.analysis.bootstrap import IntervalEstimate
from harness.analysis.differences import difference, mean_difference
from harness.analysis.tables import Analysis
from harness.report.differences import describe_provenance, describe_settings
from harness.runs.results import Results, RunRecords

CHANGES_SCHEMA: Mapping[str, type[pl.DataType]] = {
    **dict.fromkeys(("suite", "task", "method", "before", "after"), pl.String),
    **dict.fromkeys(("value_before", "value_after", "value", "low", "high"), pl.Float64),
    **dict.fromkeys(("tasks", "runs_before", "runs_after"), pl.Int64),
}
"""Columns of changes.csv. A null ``task`` means the mean of normalised scores over all tasks that both have scores on."""


@dataclass(frozen=True)
class Change:
    """How a method's score changed on a task, or over all tasks together.

    Attributes:
        task: The task; ``None`` for the mean of normalised scores over all tasks that both have scores on.
        before: Mean score before the change.
        after: Mean score after it.
        estimate: The difference with its interval.
        tasks: Number of tasks.
        runs: Number of runs with a score, before and after.
    """

    task: str | None
    before: float
    after: float
    estimate: IntervalEstimate
    tasks: int
    runs: tuple[int, int]


@dataclass(frozen=True)
class MethodChange:
    """What changed of a method.

    Attributes:
        name: What it is called without the folder's name.
        labels: Its labels, before and after.
        changes: Its change on each task, after that over all tasks, where there are several.
        settings: A phrase for each setting that changed.
        provenance: A phrase for each thing that it was trained with and that changed.
    """

    name: str
    labels: tuple[str, str]
    changes: tuple[Change, ...]
    settings: tuple[str, ...]
    provenance: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What changed from one folder of results to another.

    Attributes:
        sources: The names of the two.
        methods: The methods that both have.
        alone: The labels of methods that only one has.
    """

    sources: tuple[str, str]
    methods: tuple[MethodChange, ...]
    alone: tuple[str, ...]

    def table(self, suite: str) -> pl.DataFrame:
        """Every difference, as a table with the columns of `CHANGES_SCHEMA`."""
        rows = [
            (suite, one.task, method.name, *method.labels, one.before, one.after, *one.estimate, one.tasks, *one.runs)
            for method in self.methods
            for one in method.changes
        ]
        return pl.DataFrame(rows, schema=dict(CHANGES_SCHEMA), orient="row")


def find_changes(analysis: Analysis, results: Results) -> Changes:
    """What changed from the folder that is named first to the other, in one suite.

    Args:
        analysis: The suite's numbers.
        results: What was read from two folders with names.
    """
    before, after = tuple(dict.fromkeys(results.sources.values()))
    pairs: dict[str, dict[str, str]] = {}
    for label in analysis.methods:
        pairs.setdefault(results.streams[label], {})[results.sources[label]] = label
    both = {name: (found[before], found[after]) for name, found in pairs.items() if len(found) == 2}
    alone = [label for found in pairs.values() if len(found) == 1 for label in found.values()]
    methods = [_method(analysis, results.records, name, labels) for name, labels in both.items()]
    return Changes((before, after), tuple(methods), tuple(alone))


def _method(analysis: Analysis, records: RunRecords, name: str, labels: tuple[str, str]) -> MethodChange:
    read = analysis.current_runs.drop_nulls("folder")
    folders = [read.filter(label=label)["folder"].to_list() for label in labels]
    found = [[records[folder] for folder in group] for group in folders]
    return MethodChange(
        name,
        labels,
        tuple(_changes(analysis, labels)),
        tuple(describe_settings([[record.spec for record in group] for group in found])),
        tuple(describe_provenance([[record.provenance for record in group] for group in found])),
    )


def _changes(analysis: Analysis, labels: tuple[str, str]) -> Iterator[Change]:
    """Over all tasks that can be normalised, where there are several, and then task by task."""
    ends = {task: pair for task, *pair in analysis.tasks.filter("usable").select("task", "low", "high").rows()}
    by_task: list[Change] = []
    normalised: list[tuple[np.ndarray, np.ndarray]] = []
    for task in analysis.tasks["task"]:
        before, after = (_scores(analysis, task, label, "score") for label in labels)
        if not (before.size and after.size):
            continue
        low, high = ends.get(task, (np.nan, np.nan))
        estimate = difference(after, before, (low, high))
        by_task.append(Change(task, float(before.mean()), float(after.mean()), estimate, 1, (before.size, after.size)))
        if task in ends:
            normalised.append(((before - low) / (high - low), (after - low) / (high - low)))
    if len(normalised) > 1:
        yield _overall(normalised)
    yield from by_task


def _overall(scores: Sequence[tuple[np.ndarray, np.ndarray]]) -> Change:
    before, after = [one for one, _ in scores], [one for _, one in scores]
    means = [float(np.mean([group.mean() for group in groups])) for groups in (before, after)]
    runs = sum(group.size for group in before), sum(group.size for group in after)
    return Change(None, means[0], means[1], mean_difference(after, before), len(scores), runs)


def _scores(analysis: Analysis, task: str, label: str, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return analysis.current_runs.filter(task=task, label=label).drop_nulls(column).sort("seed")[column].to_numpy()
