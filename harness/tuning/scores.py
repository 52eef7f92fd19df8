"""From a trial's runs to its scores: the aggregate that the report uses, and the report step of a partial one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from harness.analysis import statistics
from harness.runs.evaluations import read_evaluations
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable
from harness.spec import RunSpec


def evaluations(folder: RunFolder, episodes: int) -> list[tuple[int, float]]:
    """Step and mean return of each complete evaluation of a run so far, in order."""
    found = read_evaluations(folder)[0]
    return [(one.step, one.score) for one in found if one.episodes >= episodes and one.score is not None]


def last_score(folder: RunFolder, episodes: int) -> float:
    """The mean return of the last complete evaluation of a finished run.

    Raises:
        harness.runs.guarded.Unreadable: There is none that can be read.
    """
    scores = evaluations(folder, episodes)
    if not scores:
        problems = read_evaluations(folder)[1]
        reason = "; ".join(problems) or "no complete evaluation, though the run is finished"
        raise Unreadable(folder.evaluations_file, f"{reason}: delete {folder.path}, to have the run trained anew")
    return scores[-1][1]


def is_finished(spec: RunSpec, results: Path) -> bool:
    """Whether a run is finished.

    Raises:
        harness.runs.guarded.Unreadable: Its folder cannot be read, or holds another run.
    """
    folder = RunFolder.of(spec, results)
    return folder.started and folder.state(folder.read(spec)) == "finished"


def normalised_score(spec: RunSpec, score: float) -> float:
    """A run's score on the scale of its task."""
    assert spec.normalise is not None
    return spec.normalise(score)


def aggregate(scores: Iterable[tuple[str, float]], metric: str) -> float:
    """The aggregate of normalised scores, each with the name of its task; every task weighs the same.

    Args:
        scores: Normalised scores, at least one.
        metric: One of `harness.analysis.statistics.AGGREGATE_METRICS`.
    """
    return statistics.point_estimates(group_by_task(scores))[metric]


def group_by_task(scores: Iterable[tuple[str, float]]) -> list[statistics.Array]:
    """Scores as `harness.analysis.statistics` wants them: one array per task."""
    found: dict[str, list[float]] = {}
    for task, score in scores:
        found.setdefault(task, []).append(score)
    return [np.array(values) for values in found.values()]


def own_steps(spec: RunSpec) -> int:
    """Environment steps that a run takes itself, without those of the run that it begins from."""
    return spec.steps - spec.first_step


class EvaluationOrder:
    """The position of each evaluation of a trial's runs in one order that all trials share.

    The runs come one after another (all tasks with the first seed, then with the second, ...), and in each of them its
    evaluations. An evaluation's position follows from the step at which it was due, not from how many there were before:
    trials whose rollouts are of different lengths evaluate at different steps, and are still compared at the same
    position.

    Args:
        specs: The runs of a trial, in order.
    """

    def __init__(self, specs: Sequence[RunSpec]) -> None:
        self.evaluations_per_run = [0 if spec.pretraining else (spec.steps - 1) // spec.evaluation.every + 1 for spec in specs]
        self._starts = [sum(self.evaluations_per_run[:index]) for index in range(len(specs))]
        self._specs = specs

    @property
    def total(self) -> int:
        """The number of positions."""
        return sum(self.evaluations_per_run)

    def position(self, index: int, step: int) -> int:
        """The position of an evaluation of the run with this index."""
        spec, last = self._specs[index], self.evaluations_per_run[index] - 1
        within = last if step >= spec.steps else min(max(step // spec.evaluation.every - 1, 0), last)
        return self._starts[index] + within
