"""What a plan will take: memory and time, estimated before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.execution.capacity import default_workers
from harness.spec import RunSpec
from harness.status import Cell, RunStanding, cells

_SECONDS_TO_START = 10.0
"""Of a worker: loading torch and making environments."""


class Estimate(Protocol):
    """What a run takes, as `harness.training.estimate` gives it."""

    @property
    def memory_bytes(self) -> int:
        """Peak resident memory of the run's process."""
        ...

    @property
    def steps_per_second(self) -> float:
        """On one core of a machine like this."""
        ...


@dataclass(frozen=True)
class CellForecast:
    """The runs of one task and method.

    Attributes:
        task: Name of the task.
        method: Name of the method.
        runs: How many there are.
        finished: How many of them are finished.
        steps: Of each run.
        memory_bytes: Of each run's process.
        seconds: Of training what is left of all of them, one after another.
    """

    task: str
    method: str
    runs: int
    finished: int
    steps: int
    memory_bytes: int
    seconds: float


@dataclass(frozen=True)
class Forecast:
    """A whole plan.

    Attributes:
        cells: By task and method.
        workers: Runs at a time.
        seconds: Until everything is finished.
    """

    cells: Sequence[CellForecast]
    workers: int
    seconds: float


def forecast(
    standings: Sequence[RunStanding], estimate: Callable[[RunSpec], Estimate], workers: int | None = None
) -> Forecast:
    """Estimate a plan.

    Args:
        standings: Its runs.
        estimate: Of one run; asked once for each task and method.
        workers: Runs at a time; ``None`` for as many as fit.
    """
    found = [_cell(cell, estimate(cell.runs[0].spec)) for cell in cells(standings)]
    unfinished = [run.spec for run in standings if run.standing != "finished"]
    memory = max((cell.memory_bytes for cell in found if cell.finished < cell.runs), default=None)
    workers = workers or default_workers(unfinished, memory)
    return Forecast(found, workers, sum(cell.seconds for cell in found) / max(min(workers, len(unfinished)), 1))


def _cell(cell: Cell, cost: Estimate) -> CellForecast:
    spec = cell.runs[0].spec
    left = [run.steps_left / cost.steps_per_second + _SECONDS_TO_START for run in cell.runs if run.standing != "finished"]
    return CellForecast(
        cell.task, cell.method, len(cell.runs), cell.count("finished"), spec.steps, cost.memory_bytes, sum(left)
    )
