"""From the runs of one suite to every number of its report, as tables; the CSV files are these tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from harness.analysis import statistics
from harness.analysis.curves import align_curves, curve
from harness.analysis.exact import are_successes, success_interval, t_interval
from harness.analysis.significance import rank_sum
from harness.analysis.statistics import Array, Band, IntervalEstimate, IntervalKind
from harness.errors import UnknownNameError
from harness.runs.results import Results

MAX_POINTS = 150
"""Evaluation steps of an aggregate curve; evaluations in between are left out of it, never averaged."""

_N_THRESHOLDS = 101

_TEXT, _COUNT, _NUMBER = pl.String, pl.Int64, pl.Float64
SUCCESS = "success"
"""The measurement that says whether an episode reached its goal."""

_ESTIMATE_COLUMNS = {"value": _NUMBER, "low": _NUMBER, "high": _NUMBER}
_KEY_COLUMNS = {"suite": _TEXT, "task": _TEXT, "method": _TEXT}
STATES = ("finished", "failed", "interrupted", "running", "missing")
"""What a planned run may be, in the order in which tables count them."""

SCHEMAS: Mapping[str, Mapping[str, type[pl.DataType]]] = {
    "aggregates": {"suite": _TEXT, "method": _TEXT, "metric": _TEXT, **_ESTIMATE_COLUMNS}
    | {"tasks": _COUNT, "of_tasks": _COUNT, "runs": _COUNT, "of_runs": _COUNT, "fewest_seeds": _COUNT},
    "profiles": {"suite": _TEXT, "method": _TEXT, "threshold": _NUMBER, **_ESTIMATE_COLUMNS},
    "improvement": {"suite": _TEXT, "baseline": _TEXT, "method": _TEXT, "task": _TEXT, **_ESTIMATE_COLUMNS}
    | {"tasks": _COUNT, "runs": _COUNT, "baseline_runs": _COUNT, "fewest_seeds": _COUNT, "p_value": _NUMBER},
    "curves": {**_KEY_COLUMNS, "statistic": _TEXT, "step": _COUNT, **_ESTIMATE_COLUMNS, "runs": _COUNT, "of_runs": _COUNT},
    "tasks": {
        **_KEY_COLUMNS,
        **_ESTIMATE_COLUMNS,
        "sd": _NUMBER,
        "min": _NUMBER,
        "max": _NUMBER,
        "normalised": _NUMBER,
        "scores": _COUNT,
    }
    | {"planned": _COUNT, **dict.fromkeys(STATES, _COUNT)},
    "measurements": {**_KEY_COLUMNS, "measurement": _TEXT, "mean": _NUMBER, "sd": _NUMBER, "runs": _COUNT}
    | {"successes": _COUNT, "low": _NUMBER, "high": _NUMBER},
}
"""Columns of each table. A null ``task`` means all tasks together; null ends mean too few seeds for an interval."""


@dataclass(frozen=True)
class Analysis:
    """The numbers of one suite.

    Attributes:
        suite: Name of the suite.
        methods: Labels, the baseline first, then alphabetically.
        baseline: What improvement is measured against, if there is anything to compare.
        runs: The suite's part of `Results.runs`.
        pretraining: The suite's part of `Results.pretraining`.
        tasks: The suite's part of `Results.tasks`, with ``usable``: whether scores can be normalised.
        tables: One table for each of `SCHEMAS`.
        interpolated: Methods and tasks (``None``: all together) whose curves had to be interpolated onto a common grid.
        downsampled: Whether aggregate curves leave evaluations out.
        intervals: How intervals were made.
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
    labels = sorted(runs["label"].unique(), key=lambda label: (label != baseline, label))
    builder = _TableBuilder(suite, runs.filter(~pl.col("superseded")), tasks, labels, baseline, results.evaluations, intervals)
    tables = {
        "aggregates": builder.aggregates(),
        "profiles": builder.profiles(),
        "improvement": builder.improvement(),
        "curves": builder.curves(),
        "tasks": builder.task_summaries(),
        "measurements": builder.measurements(),
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
    )


def choose_baseline(results: Results, suite: str, wanted: str | None) -> str | None:
    """The label of a suite's baseline: ``wanted``, else the only method without a bonus, else the first alphabetically.

    Returns:
        A label, or ``None`` when there is only one method, or when another suite knows ``wanted`` but this one does not.

    Raises:
        UnknownNameError: When no suite knows ``wanted``, or the name belongs to several configurations.
    """
    runs = results.runs.filter(suite=suite)
    labels = runs["label"].unique().sort().to_list()
    if wanted is not None:
        known = results.runs.select("suite", "method", "label").unique()
        if wanted in labels:
            return wanted
        named = known.filter(suite=suite, method=wanted)["label"].to_list()
        if len(named) > 1 or not (set(known["label"]) | set(known["method"])) & {wanted}:
            raise UnknownNameError("baseline", wanted, known["label"].unique())
        return named[0] if named else None
    if len(labels) < 2:
        return None
    read = runs.filter(pl.col("folder").is_not_null())
    plain = {label for label, folder in read.select("label", "folder").rows() if results.records[folder].spec.reward is None}
    return plain.pop() if len(plain) == 1 else labels[0]


class _TableBuilder:
    """The computation of one suite's tables; each method yields rows in the order of `SCHEMAS`."""

    def __init__(
        self,
        suite: str,
        runs: pl.DataFrame,
        tasks: pl.DataFrame,
        labels: Sequence[str],
        baseline: str | None,
        evaluations: pl.DataFrame,
        intervals: IntervalKind,
    ) -> None:
        self.suite, self.runs, self.labels, self.baseline = suite, runs, labels, baseline
        self.tasks: list[str] = tasks["task"].to_list()
        self.scale = {task: (low, high) for task, low, high in tasks.filter("usable").select("task", "low", "high").rows()}
        self.evaluations, self.intervals = evaluations, intervals
        self.interpolated: list[tuple[str, str | None]] = []
        self.downsampled = False
        self._scores = self._scores_by_method_and_task("score")
        self._normalised = self._scores_by_method_and_task("normalised")

    def _scores_by_method_and_task(self, column: str) -> dict[tuple[str, str], Array]:
        """Scores of each method and task in the order of their seeds."""
        present = self.runs.drop_nulls(column).sort("seed").group_by("label", "task", maintain_order=True).agg(column)
        return {(label, task): np.array(scores, dtype=np.float64) for label, task, scores in present.iter_rows()}

    def _normalised_task_scores(self, label: str) -> list[Array]:
        return [self._normalised[label, task] for task in self.tasks if (label, task) in self._normalised]

    def aggregates(self) -> Iterator[tuple[object, ...]]:
        for label in self.labels:
            task_scores = self._normalised_task_scores(label)
            if not task_scores:
                continue
            planned = self.runs.filter(pl.col("task").is_in(list(self.scale)), label=label).height
            sizes = [len(scores) for scores in task_scores]
            counts = (len(task_scores), len(self.scale), sum(sizes), planned, min(sizes))
            estimates = statistics.aggregates(task_scores, self._random("aggregates", label), intervals=self.intervals)
            for metric, estimate in estimates.items():
                yield self.suite, label, metric, *estimate, *counts

    def profiles(self) -> Iterator[tuple[object, ...]]:
        everything = np.concatenate([[0.0, 1.0], *self._normalised.values()])
        thresholds = cast(np.ndarray, np.linspace(everything.min(), everything.max(), _N_THRESHOLDS))
        for label in self.labels:
            if task_scores := self._normalised_task_scores(label):
                random = self._random("profiles", label)
                band = statistics.performance_profile(task_scores, thresholds, random, intervals=self.intervals)
                for threshold, *ends in zip(thresholds, *band, strict=True):
                    yield self.suite, label, threshold, *ends

    def improvement(self) -> Iterator[tuple[object, ...]]:
        """Over all common tasks, then task by task; tasks without constants count too, since only order matters."""
        ranked = {**self._scores, **self._normalised}
        for label in self.labels:
            common = [task for task in self.tasks if (label, task) in ranked and (self.baseline, task) in ranked]
            if label == self.baseline or self.baseline is None or not common:
                continue
            for task, part in [(None, common), *((task, [task]) for task in common)]:
                mine = [ranked[label, name] for name in part]
                theirs = [ranked[self.baseline, name] for name in part]
                n_resamples = statistics.N_BAND_RESAMPLES if task else statistics.N_RESAMPLES
                random = self._random("improvement", self.baseline, label, task or "")
                estimate = statistics.probability_of_improvement(mine, theirs, random, n_resamples, self.intervals)
                counts = (len(part), sum(map(len, mine)), sum(map(len, theirs)), min(map(len, [*mine, *theirs])))
                yield self.suite, self.baseline, label, task, *estimate, *counts, rank_sum(mine, theirs)

    def curves(self) -> Iterator[tuple[object, ...]]:
        """The aggregate of each method, then each task: IQM of normalised scores, and mean of raw ones."""
        measured = self._measured_curves()
        for label in self.labels:
            runs = [(task, curve) for task in self.scale for curve in measured.get((label, task), ())]
            if runs:
                yield from self._aggregate_curve(label, runs)
        for task in self.tasks:
            for label in self.labels:
                if curves := measured.get((label, task)):
                    grid, scores, interpolated = align_curves(curves)
                    self.interpolated += [(label, task)] if interpolated else []
                    random = self._random("curves", label, task)
                    band = curve([scores], random, iqm=False, intervals=self.intervals)
                    yield from self._curve_rows(task, label, "mean", grid, scores, band)

    def _aggregate_curve(self, label: str, runs: Sequence[tuple[str, tuple[Array, Array]]]) -> Iterator[tuple[object, ...]]:
        grid, scores, interpolated = align_curves([curve for _, curve in runs])
        self.interpolated += [(label, None)] if interpolated else []
        if len(grid) > MAX_POINTS:
            self.downsampled = True
            chosen = np.unique(np.linspace(0, len(grid) - 1, MAX_POINTS).round().astype(int))
            grid, scores = grid[chosen], scores[:, chosen]
        low, high = (np.array([self.scale[task][end] for task, _ in runs])[:, None] for end in (0, 1))
        names = np.array([task for task, _ in runs])
        task_scores = [((scores - low) / (high - low))[names == task] for task in dict.fromkeys(names.tolist())]
        band = curve(task_scores, self._random("curves", label), iqm=True, intervals=self.intervals)
        yield from self._curve_rows(None, label, "iqm", grid, scores, band)

    def _curve_rows(
        self, task: str | None, label: str, statistic: str, grid: Array, scores: Array, band: Band
    ) -> Iterator[tuple[object, ...]]:
        counts = (~np.isnan(scores)).sum(axis=0).tolist()
        for step, value, low, high, count in zip(grid.tolist(), *band, counts, strict=True):
            if not np.isnan(value):
                yield self.suite, task, label, statistic, int(step), value, low, high, count, len(scores)

    def _measured_curves(self) -> dict[tuple[str, str], list[tuple[Array, Array]]]:
        """Steps and returns of every run that was evaluated, finished or not, in the order of seeds."""
        finite = self.evaluations.filter(pl.col("return").is_finite())
        curves = {key[0]: part for key, part in finite.partition_by("folder", as_dict=True).items()}
        curves_by_method_and_task: dict[tuple[str, str], list[tuple[Array, Array]]] = {}
        for label, task, folder in self.runs.sort("seed").select("label", "task", "folder").iter_rows():
            if folder in curves:
                steps, returns = curves[folder]["step"].to_numpy(), curves[folder]["return"].to_numpy()
                curves_by_method_and_task.setdefault((label, task), []).append((steps.astype(np.float64), returns))
        return curves_by_method_and_task

    def task_summaries(self) -> Iterator[tuple[object, ...]]:
        nothing = np.full(1, np.nan)
        for task in self.tasks:
            for label in self.labels:
                states = self.runs.filter(task=task, label=label)["state"].to_list()
                scores = self._scores.get((label, task), nothing)
                estimate = IntervalEstimate(np.nan)
                if scores is not nothing:
                    ends, random = self.scale.get(task, (np.nan, np.nan)), self._random("tasks", label, task)
                    estimate = statistics.mean(scores, random, intervals=self.intervals, ends=ends)
                spread = scores.std(ddof=1) if len(scores) > 1 else np.nan
                normalised = self._normalised.get((label, task), nothing).mean()
                shape = (spread, scores.min(), scores.max(), normalised, int((~np.isnan(scores)).sum()))
                counts = (len(states), *(states.count(state) for state in STATES))
                yield self.suite, task, label, *estimate, *shape, *counts

    def measurements(self) -> Iterator[tuple[object, ...]]:
        """What tasks measure beside the return, at the last evaluation of finished runs."""
        names = [name for name in self.evaluations.columns if name not in {"folder", "step", "episodes", "return"}]
        scored = self.runs.drop_nulls("score_step")
        places = {"folder": "folder", "score_step": "step"}
        joined = scored.join(self.evaluations, left_on=[*places], right_on=[*places.values()], suffix=" measured")
        final = joined.sort("seed")
        for task in self.tasks:
            for name in names:
                column = f"{name} measured" if f"{name} measured" in final.columns else name
                for label in self.labels:
                    values = final.filter(pl.col(column).is_finite(), task=task, label=label)[column]
                    if len(values):
                        counted = _count_successes(values.to_numpy()) if name == SUCCESS else (None, None, None)
                        yield self.suite, task, label, name, values.mean(), values.std(), len(values), *counted

    def _random(self, *names: str) -> np.random.Generator:
        return statistics.named_generator(self.suite, *names)


def _count_successes(rates: Array) -> tuple[int | None, float | None, float | None]:
    """How many runs succeeded, and the interval of the rate; without a count where some succeeded in a part of episodes."""
    if are_successes(rates):
        successes = int(rates.sum())
        return successes, *success_interval(successes, rates.size)[1:]
    return None, *t_interval(rates)[1:]
