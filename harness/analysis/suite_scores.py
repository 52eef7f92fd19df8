"""The runs of one suite as arrays: final scores by method and task, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from harness.analysis.bootstrap import Array, IntervalKind, named_generator
from harness.analysis.parts import parts_of


class MeasuredRun(NamedTuple):
    """The evaluations of a run.

    Attributes:
        steps: Steps of evaluations, ascending, float64 ``(K,)``.
        returns: The mean return of each, float64 ``(K,)``.
        finished: Whether there are no more to come.
        seconds_per_step: Seconds of training per step, on average; NaN where it is not recorded.
    """

    steps: Array
    returns: Array
    finished: bool
    seconds_per_step: float


class SuiteScores:
    """The scores and curves of one suite, as its tables need them.

    Args:
        suite: Name of the suite.
        runs: Its runs without those that others supersede.
        tasks: Its tasks, with ``usable``: whether scores can be normalised.
        labels: Its methods in order.
        baseline: What improvement is measured against, if there is anything to compare.
        evaluations: Every evaluation of every run.
        intervals: How intervals are made.
        streams: What methods are called in the names of random streams, where that is not their label.

    Attributes:
        tasks: Names of tasks.
        scale: The scores that count as 0 and as 1, of each task that can be normalised.
        frames_per_step: Frames of a step, of each task that has frames.
        scores, normalised: Scores of each method and task in the order of their seeds, ``(n,)``.
    """

    def __init__(
        self,
        suite: str,
        runs: pl.DataFrame,
        tasks: pl.DataFrame,
        labels: Sequence[str],
        baseline: str | None,
        evaluations: pl.DataFrame,
        intervals: IntervalKind,
        streams: Mapping[str, str] | None = None,
    ) -> None:
        self.suite, self.runs, self.labels, self.baseline = suite, runs, labels, baseline
        self.tasks: list[str] = tasks["task"].to_list()
        self.scale = {task: (low, high) for task, low, high in tasks.filter("usable").select("task", "low", "high").rows()}
        self.frames_per_step: dict[str, int] = dict(
            tasks.drop_nulls("frames_per_step").select("task", "frames_per_step").rows()
        )
        self.evaluations = evaluations
        self.intervals: IntervalKind = intervals
        self._streams = streams or {}
        self.scores = self._by_method_and_task("score")
        self.normalised = self._by_method_and_task("normalised")

    def _by_method_and_task(self, column: str) -> dict[tuple[str, str], Array]:
        """Scores of each method and task in the order of their seeds."""
        present = self.runs.drop_nulls(column).sort("seed").group_by("label", "task", maintain_order=True).agg(column)
        return {(label, task): np.array(scores, dtype=np.float64) for label, task, scores in present.iter_rows()}

    def normalised_task_scores(self, label: str) -> list[Array]:
        """The normalised scores of a method, one array per task that it has any on."""
        return [self.normalised[label, task] for task in self.tasks if (label, task) in self.normalised]

    @cached_property
    def ranked(self) -> dict[tuple[str, str], Array]:
        """Scores by method and task for what depends on order alone: normalised ones where a task has constants."""
        return self.scores | self.normalised

    def paired(self, label: str, other: str, task: str) -> tuple[Array, Array]:
        """The scores of two methods on a task with the seeds that both have, ``(n,)`` each."""
        mine, theirs = (self._by_seed.get((one, task), {}) for one in (label, other))
        both = [seed for seed in mine if seed in theirs]
        return np.array([mine[seed] for seed in both]), np.array([theirs[seed] for seed in both])

    @cached_property
    def _by_seed(self) -> dict[tuple[str, str], dict[int, float]]:
        """The score of each seed, ascending, by method and task; normalised ones where a task has constants."""
        found: dict[tuple[str, str], dict[int, float]] = {}
        columns = ("label", "task", "seed", "score", "normalised")
        for label, task, seed, score, normalised in self.runs.sort("seed").select(columns).iter_rows():
            value = normalised if task in self.scale else score
            if value is not None:
                found.setdefault((label, task), {})[seed] = value
        return found

    def normalise(self, task: str, scores: Array) -> Array:
        """Scores on the scale of a task that has constants."""
        low, high = self.scale[task]
        return (scores - low) / (high - low)

    @cached_property
    def measured(self) -> dict[tuple[str, str], list[MeasuredRun]]:
        """Every run that was evaluated, finished or not, by method and task in the order of seeds."""
        finite = self.evaluations.filter(pl.col("return").is_finite())
        curves = parts_of(finite, "folder")
        found: dict[tuple[str, str], list[MeasuredRun]] = {}
        columns = ("label", "task", "folder", "state", "seconds", "step")
        for label, task, folder, state, seconds, step in self.runs.sort("seed").select(columns).iter_rows():
            if (curve := curves.get((folder,))) is not None:
                steps, returns = curve["step"].to_numpy(), curve["return"].to_numpy()
                pace = seconds / step if seconds and step else float("nan")
                run = MeasuredRun(steps.astype(np.float64), returns, state == "finished", pace)
                found.setdefault((label, task), []).append(run)
        return found

    def random(self, *names: str) -> np.random.Generator:
        """A random stream of the suite that depends on ``names`` alone."""
        return named_generator(self.suite, *(self._streams.get(name, name) for name in names))
