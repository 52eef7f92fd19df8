"""Tables of how fast methods learn: areas under curves, and steps, frames and time to a score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harness.analysis import statistics
from harness.analysis.bootstrap import resamples_of
from harness.analysis.exact import success_interval
from harness.analysis.learning import area_under_curve, median_arrival, steps_to_threshold
from harness.analysis.suite_scores import MeasuredRun, SuiteScores

THRESHOLDS = (0.25, 0.5, 0.75, 1.0)
"""Normalised scores to reach."""


def areas(data: SuiteScores) -> Iterator[tuple[object, ...]]:
    """The mean score over training of finished runs: over all tasks, normalised (IQM), then of each task, raw (mean)."""
    by_cell = {cell: [run for run in runs if run.finished and run.steps.size > 1] for cell, runs in data.measured.items()}
    for label in data.labels:
        cells = [(task, by_cell.get((label, task), [])) for task in data.scale]
        normalised = [data.normalise(task, _areas(runs)) for task, runs in cells if runs]
        if normalised:
            n_runs = sum(map(len, normalised))
            random, resamples = data.random("areas", label), resamples_of(n_runs, statistics.N_BAND_RESAMPLES)
            estimate = statistics.aggregates(normalised, random, resamples, data.intervals)["iqm"]
            yield data.suite, None, label, "iqm", *estimate, len(normalised), sum(map(len, normalised))
    for task in data.tasks:
        for label in data.labels:
            if runs := by_cell.get((label, task)):
                estimate = statistics.mean(_areas(runs), data.random("areas", label, task), intervals=data.intervals)
                yield data.suite, task, label, "mean", *estimate, 1, len(runs)


def _areas(runs: Sequence[MeasuredRun]) -> statistics.Array:
    return np.array([area_under_curve(run.steps, run.returns) for run in runs])


def thresholds(data: SuiteScores) -> Iterator[tuple[object, ...]]:
    """When runs first reached each of `THRESHOLDS`, for each method on each task with constants."""
    measured = data.measured
    for task in data.scale:
        for label in data.labels:
            for threshold in THRESHOLDS if (label, task) in measured else ():
                yield data.suite, task, label, threshold, *_arrivals(data, task, measured[label, task], threshold)


def _arrivals(data: SuiteScores, task: str, runs: Sequence[MeasuredRun], threshold: float) -> tuple[object, ...]:
    found = [steps_to_threshold(run.steps, data.normalise(task, run.returns), threshold) for run in runs]
    reached = [one.reached for one in found]
    decided = sum(one.reached or run.finished for one, run in zip(found, runs, strict=True))
    interval = success_interval(sum(reached), decided)[1:] if decided else (None, None)
    steps = median_arrival([one.at for one in found], reached)
    times = [one.at * run.seconds_per_step for one, run in zip(found, runs, strict=True)]
    seconds = median_arrival(times, reached) if np.isfinite(times).all() else None
    frames = data.frames_per_step.get(task)
    return sum(reached), decided, *interval, steps, steps * frames if steps is not None and frames else None, seconds
