"""Results of several folders in one view, each method named after the folder that it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.runs.collection import Collection, MissingRun, TaskKey
from harness.runs.naming import SEPARATOR
from harness.runs.reading import NO_CONSTANTS, CollectedRun, TaskConstants


def source_label(label: str, source: str) -> str:
    """The label of a method in one of several folders, such as ``rnd · old``."""
    return f"{label}{SEPARATOR}{source}"


def merge(found: Mapping[str, Collection]) -> Collection:
    """Everything that was found, as one collection; of several runs with the same name, all are kept apart by their folders.

    Args:
        found: What was found in each folder, by the folder's name.
    """
    tasks = _constants(found)
    runs = [_relabelled(run, source, tasks) for source, one in found.items() for run in one.runs]
    missing = [_renamed(run, source) for source, one in found.items() for run in one.missing]
    return Collection(
        sorted(runs, key=lambda run: (run.name, run.label)),
        sorted(missing, key=lambda run: run.key),
        tasks,
        sorted({line for one in found.values() for line in one.unreadable}),
        [replace(run, label=source_label(run.label, source)) for source, one in found.items() for run in one.abandoned],
        frozenset(name for one in found.values() for name in one.superfluous),
        frozenset(suite for suite in _suites(*found.values()) if all(_knows_plan(one, suite) for one in found.values())),
    )


def _relabelled(run: CollectedRun, source: str, tasks: Mapping[TaskKey, TaskConstants]) -> CollectedRun:
    constants = tasks.get((run.spec.suite, run.spec.task), NO_CONSTANTS)
    return replace(run, label=source_label(run.label, source), constants=constants)


def _renamed(run: MissingRun, source: str) -> MissingRun:
    suite, task, label, seed = run.key
    return replace(run, key=(suite, task, source_label(label, source), seed))


def _constants(found: Mapping[str, Collection]) -> Mapping[TaskKey, TaskConstants]:
    """The constants of each task: those of the folder that is named last, where several have some."""
    merged: dict[TaskKey, TaskConstants] = {}
    for one in found.values():
        for key, constants in one.tasks.items():
            before = merged.get(key, NO_CONSTANTS).variants
            merged[key] = replace(constants, variants=tuple(dict.fromkeys((*before, *constants.variants))))
    return dict(sorted(merged.items()))


def _suites(*found: Collection) -> set[str]:
    return {run.spec.suite for one in found for run in one.runs}


def _knows_plan(one: Collection, suite: str) -> bool:
    """Whether a plan of a suite is recorded, unless there are no runs of it."""
    return suite in one.planned_suites or suite not in _suites(one)
