"""What a plan will take: memory and time, estimated before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from harness.execution.capacity import default_workers, processes_that_fit
from harness.runs.status import RunGroup, RunSummary, group_runs
from harness.spec import RunSpec

if TYPE_CHECKING:
    from harness.training.estimate import ResourceEstimate  # imports torch

_SECONDS_TO_START = 5.0
"""Seconds before a run's first step: making environments and networks, and a share of its worker's start."""


@dataclass(frozen=True)
class GroupForecast:
    """The runs of one task and method.

    Attributes:
        task: Name of the task.
        method: Name of the method.
        runs: Number of runs in the group.
        finished: Number of runs that are finished.
        steps: The steps of each run.
        memory_bytes: The memory of each run's process, its replay buffer full.
        replay_bytes: Disk that each run's replay buffer takes until the run is finished; 0 on-policy.
        steps_per_second: The speed of each run.
        seconds: Seconds of training and evaluation that are left of all of them, one after another.
        evaluation_seconds: Seconds of the evaluations of each run.
        unended_after: Steps after which no evaluation episode had ended while this was measured, so that the time is a lower
            bound; ``None`` where it is none.
    """

    task: str
    method: str
    runs: int
    finished: int
    steps: int
    memory_bytes: int
    replay_bytes: int
    steps_per_second: float
    seconds: float
    evaluation_seconds: float = 0.0
    unended_after: int | None = None

    @property
    def seconds_from_scratch(self) -> float:
        """Seconds that all of them would take one after another, had none begun."""
        return self.runs * (self.steps / self.steps_per_second + self.evaluation_seconds + _SECONDS_TO_START)


@dataclass(frozen=True)
class Forecast:
    """A whole plan.

    Attributes:
        groups: Forecasts of the runs of each task and method.
        workers: Runs at a time.
        fitting: Runs of the largest kind that memory can hold at a time.
        seconds: Until everything is finished.
        notices: What must be known before starting, a sentence each.
    """

    groups: Sequence[GroupForecast]
    workers: int
    fitting: int
    seconds: float
    notices: Sequence[str] = ()


def forecast(
    summaries: Sequence[RunSummary], estimate: Callable[[RunSpec], ResourceEstimate], workers: int | None = None
) -> Forecast:
    """Estimate what a plan will take.

    Args:
        summaries: State of each run of the plan.
        estimate: Function that estimates one run; asked once for each method on each family of environments, since asking
            takes seconds.
        workers: Runs at a time; ``None`` for the default.
    """
    known: dict[tuple[str, str], ResourceEstimate] = {}
    found: list[GroupForecast] = []
    for group in group_runs(summaries):
        spec = group.runs[0].spec
        key = spec.environment.family, spec.method_digest
        if key not in known:
            known[key] = estimate(spec)
        found.append(_forecast_group(group, known[key]))
    unfinished = [run.spec for run in summaries if run.state != "finished"]
    workers = workers or default_workers(unfinished)
    seconds = sum(group.seconds for group in found) / max(min(workers, len(unfinished)), 1)
    return Forecast(found, workers, processes_that_fit(max(group.memory_bytes for group in found)), seconds)


def _forecast_group(group: RunGroup, cost: ResourceEstimate) -> GroupForecast:
    each = cost.evaluation_seconds
    left = [
        run.steps_left / cost.steps_per_second + _evaluations(run.spec, run.steps_left) * each + _SECONDS_TO_START
        for run in group.runs
        if run.state != "finished"
    ]
    spec = group.runs[0].spec
    return GroupForecast(
        task=group.task,
        method=group.method,
        runs=len(group.runs),
        finished=group.count("finished"),
        steps=spec.steps,
        memory_bytes=cost.memory_bytes,
        replay_bytes=cost.replay_bytes,
        steps_per_second=cost.steps_per_second,
        seconds=sum(left),
        evaluation_seconds=_evaluations(spec, spec.steps) * each,
        unended_after=cost.unended_after,
    )


def _evaluations(spec: RunSpec, steps_left: int) -> int:
    """The evaluations in the last steps of a run."""
    return ceil(spec.steps / spec.evaluation.every) - (spec.steps - steps_left) // spec.evaluation.every
