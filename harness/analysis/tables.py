"""From the runs of one suite to every number of its report, as tables; the CSV files are these tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from harness.analysis.baseline import choose_baseline
from harness.analysis.bonus_tables import bonus_rows, read_bonus_curves
from harness.analysis.bootstrap import IntervalKind
from harness.analysis.comparison_tables import comparisons, ranks
from harness.analysis.cost_tables import cost_rows
from harness.analysis.learning_tables import areas, thresholds
from harness.analysis.measurement_curves import measurement_rows
from harness.analysis.run_files import chosen_runs
from harness.analysis.schemas import SCHEMAS, STATES, SUCCESS
from harness.analysis.suite_scores import SuiteScores
from harness.analysis.table_builder import MAX_POINTS, TableBuilder
from harness.analysis.visit_tables import VisitMaps, read_visit_maps, visit_rows
from harness.runs.results import Results

__all__ = ["MAX_POINTS", "SCHEMAS", "STATES", "SUCCESS", "Analysis", "analyse", "choose_baseline"]


@dataclass(frozen=True)
class Analysis:
    """The numbers of one suite.

    Attributes:
        suite: Name of the suite.
        methods: Labels, the baseline first, then alphabetically, and of one method those of the first folder first.
        baseline: What improvement is measured against, if there is anything to compare.
        runs: The suite's part of `Results.runs`.
        pretraining: The suite's part of `Results.pretraining`.
        tasks: The suite's part of `Results.tasks`, with ``usable``: whether scores can be normalised.
        tables: One table for each of `SCHEMAS`.
        interpolated: Methods and tasks (``None``: all together) whose curves had to be interpolated onto a common grid.
        downsampled: Whether aggregate curves leave evaluations out.
        intervals: How intervals were made.
        places: Where runs went, of those whose files were read.
        training_problems: One line for each file about training that could not be used.
        training_runs: Number of runs whose files about training were read.
    """

    suite: str
    methods: tuple[str, ...]
    baseline: str | None
    runs: pl.DataFrame
    pretraining: pl.DataFrame
    tasks: pl.DataFrame
    tables: Mapping[str, pl.DataFrame]
    interpolated: tuple[tuple[str, str | None], ...]
    downsampled: bool
    intervals: IntervalKind
    places: VisitMaps = field(default_factory=VisitMaps)
    training_problems: tuple[str, ...] = ()
    training_runs: int = 0

    @property
    def current_runs(self) -> pl.DataFrame:
        """Runs without those that another folder supersedes."""
        return self.runs.filter(~pl.col("superseded"))

    @property
    def usable_tasks(self) -> list[str]:
        """Tasks whose scores can be normalised."""
        return self.tasks.filter("usable")["task"].to_list()


def analyse(results: Results, suite: str, baseline: str | None, intervals: IntervalKind = "expanded") -> Analysis:
    """Compute everything that the report of a suite shows.

    Args:
        results: What was read.
        suite: Which suite of it.
        baseline: The label of the method to compare with, from `choose_baseline`.
        intervals: How intervals are made.
    """
    usable = (pl.col("high") != pl.col("low")).fill_null(value=False)
    tasks = results.tasks.filter(suite=suite).with_columns(usable.alias("usable"))
    runs = results.runs.filter(suite=suite)
    streams = results.streams
    labels = sorted(
        runs["label"].unique(),
        key=lambda label: (label != baseline, streams.get(label, label), results.source_rank(label), label),
    )
    current = runs.filter(~pl.col("superseded"))
    data = SuiteScores(suite, current, tasks, labels, baseline, results.evaluations, intervals, streams)
    builder = TableBuilder(data)
    looked_at = chosen_runs(data.runs)
    places = read_visit_maps(looked_at, results.records)
    bonuses, problems = read_bonus_curves(looked_at, results.records)
    tables = {
        "aggregates": builder.aggregates(),
        "profiles": builder.profiles(),
        "improvement": builder.improvement(),
        "curves": builder.curves(),
        "tasks": builder.task_summaries(),
        "measurements": builder.measurements(),
        "comparisons": comparisons(data),
        "ranks": ranks(data),
        "areas": areas(data),
        "thresholds": thresholds(data),
        "measurement_curves": measurement_rows(data),
        "visits": visit_rows(suite, places, labels),
        "bonuses": bonus_rows(suite, bonuses, labels, data.tasks),
        "costs": cost_rows(suite, data.runs, results.records, labels, data.tasks),
    }
    frames = {
        name: pl.DataFrame(list(rows), schema=SCHEMAS[name], orient="row").fill_nan(None) for name, rows in tables.items()
    }
    pretraining = results.pretraining.filter(suite=suite)
    return Analysis(
        suite,
        tuple(labels),
        baseline,
        runs,
        pretraining,
        tasks,
        frames,
        tuple(builder.interpolated),
        builder.downsampled,
        intervals,
        places,
        (*places.problems, *problems),
        len(looked_at),
    )
