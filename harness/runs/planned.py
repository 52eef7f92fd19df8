"""Runs as plans asked for them: which are missing, and which were left unfinished under settings that nobody wants now."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.runs.folder import RunFolder
from harness.runs.plans import AskedRuns, Cell, RecordedPlan, cell, newest_wishes
from harness.runs.reading import CollectedRun
from harness.spec import RunSpec

DEAD_STATES = ("failed", "interrupted")
"""States of runs that are not finished and that nobody trains."""


@dataclass(frozen=True)
class PlannedRun:
    """A run that some plan asked for, and that never began.

    Attributes:
        spec: Specification of the run.
        folder: Its folder, which does not exist.
    """

    spec: RunSpec
    folder: RunFolder


def find_superfluous(runs: Sequence[CollectedRun], plans: Sequence[RecordedPlan]) -> set[str]:
    """The names of dead runs whose settings were abandoned: their task and method were asked for under others since.

    Where no recorded plan asks for the task and method, the runs tell: one under other settings began after the last change of
    the dead one.

    Args:
        runs: Every run that was found.
        plans: The recorded plans of their suites, the oldest first.
    """
    wishes = newest_wishes(plans)
    begun: dict[Cell, list[tuple[str, str]]] = {}
    for run in runs:
        begun.setdefault(cell(run.spec), []).append((run.record.digest, run.record.status.started))
    dead = [run for run in runs if run.state in DEAD_STATES and run.holder is None]
    return {run.name for run in dead if _is_abandoned(run, wishes, begun[cell(run.spec)])}


def _is_abandoned(run: CollectedRun, wishes: Mapping[Cell, str], begun: Iterable[tuple[str, str]]) -> bool:
    wanted = wishes.get(cell(run.spec))
    if wanted is not None:
        return wanted != run.record.digest
    digest, changed = run.record.digest, run.record.status.updated
    return any(other != digest and started > changed for other, started in begun)


def find_abandoned(runs: Sequence[CollectedRun], superfluous: Collection[str]) -> set[str]:
    """The names of dead runs that count nowhere: their settings were abandoned, and no run of these settings has a score.

    Where some run of the settings is finished, the dead ones are planned runs without a score: leaving them out would make
    its method look better.

    Args:
        runs: Every run that was found.
        superfluous: Those of `find_superfluous`.
    """
    kept = _kept_settings(runs, superfluous)
    return {run.name for run in runs if run.name in superfluous and _settings(run.spec, run.record.method_digest) not in kept}


def find_missing(
    runs: Sequence[CollectedRun], superfluous: Collection[str], plans: Sequence[RecordedPlan], scope: Sequence[Path]
) -> list[PlannedRun]:
    """What plans asked for, under settings that are not abandoned, and what never began.

    Args:
        runs: Every run that was found.
        superfluous: Those of `find_superfluous`.
        plans: The recorded plans of their suites, the oldest first.
        scope: The places that were looked at; what would lie elsewhere is not missing from them.
    """
    wishes, kept = newest_wishes(plans), _kept_settings(runs, superfluous)
    real = cache(_follow)
    present = {_real_path(run, real) for run in runs}
    within = _Scope(scope)
    missing: dict[str, PlannedRun] = {}
    for plan in plans:
        for asked in plan.runs:
            spec, folder = asked.spec, _method_folder(plan, asked)
            if folder is None or not within.touches(method := real(folder)):
                continue
            wanted = _settings(spec, asked.method_digest) in kept or wishes[cell(spec)] == asked.digest
            for seed in asked.seeds if wanted else ():
                name = f"{method}{os.sep}seed-{seed}"
                if name not in present and within.holds(name):
                    missing[name] = PlannedRun(spec.model_copy(update={"seed": seed}), RunFolder(folder / f"seed-{seed}"))
    return [missing[name] for name in sorted(missing)]


def _method_folder(plan: RecordedPlan, asked: AskedRuns) -> Path | None:
    """The folder of runs that a plan asks for; ``None`` where names in the plan would lead elsewhere."""
    names = asked.spec.task, f"{asked.spec.method}-{asked.digest}"
    folder = plan.folder.joinpath(*names)
    plain = folder.parts[-2:] == names and ".." not in names and not any("\0" in name for name in names)
    return folder if plain else None


def _real_path(run: CollectedRun, real: Callable[[Path], str]) -> str:
    """Where a run lies, links followed: those above its folder are followed once for all seeds."""
    path = run.folder.path
    if path.name == f"seed-{run.spec.seed}":
        return f"{real(path.parent)}{os.sep}{path.name}"
    return os.path.realpath(path)


def _kept_settings(runs: Iterable[CollectedRun], superfluous: Collection[str]) -> set[tuple[str, str, str]]:
    """Settings under which some run is finished, goes on, or is still wanted."""
    return {_settings(run.spec, run.record.method_digest) for run in runs if run.name not in superfluous}


def _settings(spec: RunSpec, digest: str) -> tuple[str, str, str]:
    return spec.suite, spec.method, digest


def _follow(path: Path) -> str:
    """A path, links followed."""
    return os.path.realpath(path)


class _Scope:
    """The places that were looked at."""

    def __init__(self, places: Iterable[Path]) -> None:
        self._places = {os.path.realpath(place) for place in places}
        self._above = {str(parent) for place in self._places for parent in Path(place).parents}
        self.holds = cache(self._holds)
        """Whether a path, links followed, is one of the places or lies within one."""

    def _holds(self, path: str) -> bool:
        above = os.path.dirname(path)  # noqa: PTH120  of many thousand texts
        return path in self._places or (above != path and self.holds(above))

    def touches(self, path: str) -> bool:
        """Whether a path, links followed, holds one of the places, or lies within one."""
        return path in self._above or self.holds(path)
