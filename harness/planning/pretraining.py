"""Pre-training once for several tasks (Laskin et al. 2021, URLB): the runs that make it, and those that begin from them.

Tasks that agree in a key of their environment, such as a domain, form a group. For each group, method and seed there is one
run of the first phase, in the environment of the group's first task; the other runs begin from its last checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.config import Config, EnvironmentConfig
from harness.errors import suggest
from harness.planning.phases import differing_keys
from harness.spec import RunSpec, StartSpec
from harness.suites.locations import KeyPath
from harness.suites.model import validate_folder_name
from harness.suites.validation import Problem, ValidationFailed

TaskGroups = Mapping[str, tuple[str, str]]
"""For each task the value of the key, and the task in whose environment it is pre-trained."""

TaskEnvironments = Mapping[str, tuple[str, Config]]


def group_tasks(environments: TaskEnvironments, key: str, phase_steps: Mapping[str, int], path: KeyPath) -> TaskGroups:
    """Group tasks by a key of their environment.

    Args:
        environments: Family and configuration of every task, in the suite's order.
        key: Key of the configurations that tasks may share.
        phase_steps: Steps of the first phase, by task.
        path: Where ``once_per`` stands.

    Raises:
        ValidationFailed: An environment has no such key, or tasks that agree in it differ in what they must share.
    """
    problems: list[Problem] = []
    groups: dict[tuple[str, str], str] = {}
    task_groups: dict[str, tuple[str, str]] = {}
    for task, (family, config) in environments.items():
        try:
            value = _group_name(config, key, family)
        except ValueError as error:
            problems.append(Problem(str(error), (path, path[:-1], path[:-2])))
            continue
        first = groups.setdefault((family, value), task)
        task_groups[task] = value, first
        if difference := _difference(config, environments[first][1], (phase_steps[task], phase_steps[first]), key):
            message = f"tasks {first!r} and {task!r} have the same {key}, {value}, but differ in {difference}"
            problems.append(Problem(f"{message}: they cannot share a phase", (path, path[:-1], path[:-2])))
    if problems:
        raise ValidationFailed(*problems)
    return task_groups


def with_pretraining(
    runs: Iterable[RunSpec], task_groups: Mapping[str, TaskGroups], run: Callable[[str, str, int], RunSpec]
) -> list[RunSpec]:
    """Let runs of methods that share a phase begin from a run of that phase, which comes before them.

    Args:
        runs: The runs of a suite, each whole.
        task_groups: Groups of tasks by method.
        run: Makes the whole run of a task, method and seed.
    """
    runs, parents = list(runs), dict[str, RunSpec]()
    for index, spec in enumerate(runs):
        if spec.method in task_groups:
            value, first = task_groups[spec.method][spec.task]
            parent = _pretraining_spec(run(first, spec.method, spec.seed), value)
            parents.setdefault(parent.path, parent)
            runs[index] = _starting_from(parent, spec)
    order = {seed: position for position, seed in enumerate(dict.fromkeys(spec.seed for spec in runs))}
    return sorted([*parents.values(), *runs], key=lambda spec: (order[spec.seed], not spec.pretraining))


def _starting_from(parent: RunSpec, spec: RunSpec) -> RunSpec:
    start = StartSpec(path=parent.path, digest=parent.digest, method_digest=parent.method_digest, steps=parent.steps)
    return spec.model_copy(update={"start": start}).bounded


def _pretraining_spec(whole: RunSpec, value: str) -> RunSpec:
    phase = whole.phases[0]
    changes: dict[str, Any] = {"task": f"{phase.name}-{value}", "steps": phase.steps, "phases": (phase,)}
    return whole.model_copy(update={**changes, "normalise": None, "pretraining": True}).bounded


def _group_name(config: Config, key: str, family: str) -> str:
    """The value of the key as part of a folder's name."""
    known = [*type(config).model_fields]
    if key not in known:
        raise ValueError(f"environment family {family!r} has no setting {key!r}{suggest(key, known)}")
    return validate_folder_name(str(getattr(config, key)))


def _difference(one: Config, other: Config, lengths: tuple[int, int], key: str) -> str:
    """The setting in which two tasks of a group differ and must not, with both values; empty if there is none."""
    ignored = {one.task_field} - {key} if isinstance(one, EnvironmentConfig) else set[str]()
    mine, theirs = one.model_dump(mode="json"), other.model_dump(mode="json")
    if keys := differing_keys(mine, theirs, ignored):
        return f"{keys[0]} ({theirs[keys[0]]!r} and {mine[keys[0]]!r})"
    if lengths[0] != lengths[1]:
        return f"the steps of that phase ({lengths[1]:,} and {lengths[0]:,})"
    return ""
