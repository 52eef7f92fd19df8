"""The tables that every report has: aggregates, profiles, comparisons with the baseline, curves, scores by task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import polars as pl

from harness.analysis import statistics
from harness.analysis.bootstrap import Array, Band, IntervalEstimate, resamples_of
from harness.analysis.curves import align_curves, curve
from harness.analysis.exact import are_successes, success_interval, t_interval
from harness.analysis.parts import parts_of
from harness.analysis.schemas import STATES, SUCCESS
from harness.analysis.significance import rank_sum
from harness.analysis.suite_scores import SuiteScores

MAX_POINTS = 150
"""Evaluation steps of an aggregate curve; evaluations in between are left out of it, never averaged."""

_N_THRESHOLDS = 101


class TableBuilder:
    """The computation of tables; each method yields rows in the order of `harness.analysis.schemas.SCHEMAS`.

    Args:
        data: The scores and curves of a suite.

    Attributes:
        interpolated: Methods and tasks (``None``: all together) whose curves had to be interpolated onto a common grid.
        downsampled: Whether aggregate curves leave evaluations out.
    """

    def __init__(self, data: SuiteScores) -> None:
        self.data = data
        self.interpolated: list[tuple[str, str | None]] = []
        self.downsampled = False

    def aggregates(self) -> Iterator[tuple[object, ...]]:
        for label in self.data.labels:
            task_scores = self.data.normalised_task_scores(label)
            if not task_scores:
                continue
            planned = self.data.runs.filter(pl.col("task").is_in(list(self.data.scale)), label=label).height
            sizes = [len(scores) for scores in task_scores]
            counts = (len(task_scores), len(self.data.scale), sum(sizes), planned, min(sizes))
            random, n_resamples = self.data.random("aggregates", label), resamples_of(sum(sizes))
            estimates = statistics.aggregates(task_scores, random, n_resamples, self.data.intervals)
            for metric, estimate in estimates.items():
                yield self.data.suite, label, metric, *estimate, *counts

    def profiles(self) -> Iterator[tuple[object, ...]]:
        everything = np.concatenate([[0.0, 1.0], *self.data.normalised.values()])
        thresholds = cast(np.ndarray, np.linspace(everything.min(), everything.max(), _N_THRESHOLDS))
        for label in self.data.labels:
            if task_scores := self.data.normalised_task_scores(label):
                random = self.data.random("profiles", label)
                band = statistics.performance_profile(task_scores, thresholds, random, intervals=self.data.intervals)
                for threshold, *ends in zip(thresholds, *band, strict=True):
                    yield self.data.suite, label, threshold, *ends

    def improvement(self) -> Iterator[tuple[object, ...]]:
        """Over all common tasks, then task by task; tasks without constants count too, since only order matters."""
        ranked = self.data.ranked
        for label in self.data.labels:
            common = [task for task in self.data.tasks if (label, task) in ranked and (self.data.baseline, task) in ranked]
            if label == self.data.baseline or self.data.baseline is None or not common:
                continue
            for task, part in [(None, common), *((task, [task]) for task in common)]:
                mine = [ranked[label, name] for name in part]
                theirs = [ranked[self.data.baseline, name] for name in part]
                n_runs = sum(map(len, [*mine, *theirs]))
                n_resamples = statistics.N_BAND_RESAMPLES if task else resamples_of(n_runs)
                random = self.data.random("improvement", self.data.baseline, label, task or "")
                estimate = statistics.probability_of_improvement(mine, theirs, random, n_resamples, self.data.intervals)
                counts = (len(part), sum(map(len, mine)), sum(map(len, theirs)), min(map(len, [*mine, *theirs])))
                yield self.data.suite, self.data.baseline, label, task, *estimate, *counts, rank_sum(mine, theirs)

    def curves(self) -> Iterator[tuple[object, ...]]:
        """The aggregate of each method, then each task: IQM of normalised scores, and mean of raw ones."""
        measured = {cell: [(run.steps, run.returns) for run in runs] for cell, runs in self.data.measured.items()}
        for label in self.data.labels:
            runs = [(task, curve) for task in self.data.scale for curve in measured.get((label, task), ())]
            if runs:
                yield from self._aggregate_curve(label, runs)
        for task in self.data.tasks:
            for label in self.data.labels:
                if curves := measured.get((label, task)):
                    grid, scores, interpolated = align_curves(curves)
                    self.interpolated += [(label, task)] if interpolated else []
                    random = self.data.random("curves", label, task)
                    band = curve([scores], random, iqm=False, intervals=self.data.intervals)
                    yield from self._curve_rows(task, label, "mean", grid, scores, band)

    def _aggregate_curve(self, label: str, runs: Sequence[tuple[str, tuple[Array, Array]]]) -> Iterator[tuple[object, ...]]:
        grid, scores, interpolated = align_curves([curve for _, curve in runs])
        self.interpolated += [(label, None)] if interpolated else []
        if len(grid) > MAX_POINTS:
            self.downsampled = True
            chosen = np.unique(np.linspace(0, len(grid) - 1, MAX_POINTS).round().astype(int))
            grid, scores = grid[chosen], scores[:, chosen]
        low, high = (np.array([self.data.scale[task][end] for task, _ in runs])[:, None] for end in (0, 1))
        names = np.array([task for task, _ in runs])
        task_scores = [((scores - low) / (high - low))[names == task] for task in dict.fromkeys(names.tolist())]
        n_resamples = resamples_of(len(runs), statistics.N_BAND_RESAMPLES)
        random = self.data.random("curves", label)
        band = curve(task_scores, random, iqm=True, n_resamples=n_resamples, intervals=self.data.intervals)
        yield from self._curve_rows(None, label, "iqm", grid, scores, band)

    def _curve_rows(
        self, task: str | None, label: str, statistic: str, grid: Array, scores: Array, band: Band
    ) -> Iterator[tuple[object, ...]]:
        counts = (~np.isnan(scores)).sum(axis=0).tolist()
        for step, value, low, high, count in zip(grid.tolist(), *band, counts, strict=True):
            if not np.isnan(value):
                yield self.data.suite, task, label, statistic, int(step), value, low, high, count, len(scores)

    def task_summaries(self) -> Iterator[tuple[object, ...]]:
        nothing, runs = np.full(1, np.nan), parts_of(self.data.runs, "task", "label")
        for task in self.data.tasks:
            for label in self.data.labels:
                cell = runs.get((task, label))
                states = [] if cell is None else cell["state"].to_list()
                scores = self.data.scores.get((label, task), nothing)
                estimate = IntervalEstimate(np.nan)
                if scores is not nothing:
                    ends, random = self.data.scale.get(task, (np.nan, np.nan)), self.data.random("tasks", label, task)
                    estimate = statistics.mean(scores, random, intervals=self.data.intervals, ends=ends)
                spread = scores.std(ddof=1) if len(scores) > 1 else np.nan
                normalised = self.data.normalised.get((label, task), nothing).mean()
                shape = (spread, scores.min(), scores.max(), normalised, int((~np.isnan(scores)).sum()))
                counts = (len(states), *(states.count(state) for state in STATES))
                yield self.data.suite, task, label, *estimate, *shape, *counts

    def measurements(self) -> Iterator[tuple[object, ...]]:
        """What tasks measure beside the return, at the last evaluation of finished runs."""
        names = [name for name in self.data.evaluations.columns if name not in {"folder", "step", "episodes", "return"}]
        scored = self.data.runs.drop_nulls("score_step")
        places = {"folder": "folder", "score_step": "step"}
        joined = scored.join(self.data.evaluations, left_on=[*places], right_on=[*places.values()], suffix=" measured")
        final = joined.sort("seed")
        columns = {name: f"{name} measured" if f"{name} measured" in final.columns else name for name in names}
        known = {name: parts_of(final.filter(pl.col(column).is_finite()), "task", "label") for name, column in columns.items()}
        for task in self.data.tasks:
            for name, column in columns.items():
                for label in self.data.labels:
                    if (cell := known[name].get((task, label))) is not None:
                        values = cell[column]
                        counted = _count_successes(values.to_numpy()) if name == SUCCESS else (None, None, None)
                        yield self.data.suite, task, label, name, values.mean(), values.std(), len(values), *counted


def _count_successes(rates: Array) -> tuple[int | None, float | None, float | None]:
    """How many runs succeeded, and the interval of the rate; without a count where some succeeded in a part of episodes."""
    if are_successes(rates):
        successes = int(rates.sum())
        return successes, *success_interval(successes, rates.size)[1:]
    return None, *t_interval(rates)[1:]
