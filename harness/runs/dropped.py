"""Runs that no plan asks for any more: their method or their task was dropped from the suite since."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness.runs.folder import FOLDERS_ABOVE_RUN
from harness.runs.plans import RecordedPlan, SuiteNames
from harness.runs.reading import CollectedRun
from harness.spec import RunSpec

_OVER = ("finished", "failed", "interrupted")


def suite_folder(run: CollectedRun) -> Path:
    """The folder of the results of a run's suite, however short the run's own path was given."""
    path = run.folder.path
    return (path if len(path.parents) > FOLDERS_ABOVE_RUN else path.absolute()).parents[FOLDERS_ABOVE_RUN - 1]


@dataclass
class _Wanted:
    """What the plans beside a suite's results ask for, the newest of them above all.

    Attributes:
        names: What the suite's file called its tasks and methods when it was last asked for; ``None`` if nobody knows.
        cells: Task and method of every run that some plan asked for.
    """

    names: SuiteNames | None = None
    cells: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def holds(self, spec: RunSpec) -> bool:
        """Whether a run is of a method and a task that the suite has."""
        if self.names is None:
            return (spec.task, spec.method) in self.cells
        return spec.method in self.names.methods and (spec.pretraining or spec.task in self.names.tasks)


def find_dropped(runs: Sequence[CollectedRun], plans: Sequence[RecordedPlan]) -> set[str]:
    """The names of runs, finished ones as well, whose method or task their suite does not have any more.

    The suite's file tells, as it was when it was last asked for with these results; where only older plans are recorded,
    which do not hold its names, a run is dropped that none of them asks for. Results without any recorded plan have no
    dropped runs, a run that goes on is none, and neither is one from which others begin that are not dropped.

    Args:
        runs: Every run that was found.
        plans: The recorded plans of their suites, the oldest first.
    """
    real = cache(_follow)
    wanted: dict[str, _Wanted] = {}
    for plan in plans:
        there = wanted.setdefault(real(plan.folder), _Wanted())
        there.names = plan.names or there.names
        there.cells |= {(asked.spec.task, asked.spec.method) for asked in plan.runs}
    dropped = [run for run in runs if run.state in _OVER and run.holder is None and _is_dropped(run, wanted, real)]
    kept = {run.spec.begins_from for run in _without(runs, dropped)}
    return {run.name for run in dropped if (run.record.digest, run.spec.seed) not in kept}


def _follow(path: Path) -> str:
    """A path, links followed."""
    return os.path.realpath(path)


def _is_dropped(run: CollectedRun, wanted: dict[str, _Wanted], real: Callable[[Path], str]) -> bool:
    there = wanted.get(real(suite_folder(run)))
    return there is not None and not there.holds(run.spec)


def _without(runs: Iterable[CollectedRun], left_out: Iterable[CollectedRun]) -> list[CollectedRun]:
    names = {run.name for run in left_out}
    return [run for run in runs if run.name not in names]
