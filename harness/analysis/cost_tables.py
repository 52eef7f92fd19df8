"""What runs of each method took: time, memory and energy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from harness.analysis.parts import parts_of
from harness.runs.folder import RunRecord
from harness.runs.results import RunRecords


def cost_rows(
    suite: str, runs: pl.DataFrame, records: RunRecords, labels: Sequence[str], tasks: Sequence[str]
) -> Iterator[tuple[object, ...]]:
    """Medians over the finished runs of each task and method, and the hours of all of them together.

    Args:
        suite: Name of the suite.
        runs: Its runs that count.
        records: Content of each run's ``run.json``, by folder.
        labels: Methods in order.
        tasks: Tasks in order.
    """
    finished = parts_of(runs.filter(state="finished").drop_nulls("folder").sort("seed"), "task", "label")
    for task in tasks:
        for label in labels:
            cell = finished.get((task, label))
            found = [] if cell is None else [records[folder] for folder in cell["folder"]]
            timed = [record for record in found if _own_steps(record) > 0 and record.status.seconds > 0]
            if timed:
                seconds = [record.status.seconds for record in timed]
                speeds = [_own_steps(record) / record.status.seconds for record in timed]
                memory = [record.status.memory_bytes for record in timed if record.status.memory_bytes is not None]
                energy = [record.status.energy_joules for record in timed if record.status.energy_joules is not None]
                facts = (_median(speeds), min(speeds), max(speeds), _median(seconds), sum(seconds))
                yield suite, task, label, *facts, _median(memory), _median(energy), len(timed)


def _own_steps(record: RunRecord) -> int:
    return record.status.step - record.spec.first_step


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def relative_times(costs: pl.DataFrame, baseline: str | None) -> dict[str, tuple[float, int]]:
    """How long a step of each method takes, as a multiple of the baseline's: the geometric mean over the tasks of both.

    Args:
        costs: The table of `cost_rows`.
        baseline: Label of the baseline.

    Returns:
        The multiple and the number of tasks, by method; nothing where there is no baseline.
    """
    base = (
        costs.filter(method=baseline).select("task", pl.col("steps_per_second").alias("base")) if baseline else costs.clear()
    )
    if base.is_empty():
        return {}
    ratios = costs.join(base, on="task", how="inner").with_columns(
        (pl.col("base") / pl.col("steps_per_second")).log().alias("log")
    )
    found = ratios.group_by("method", maintain_order=True).agg(pl.col("log").mean(), pl.len())
    return {label: (float(np.exp(log)), tasks) for label, log, tasks in found.rows()}
