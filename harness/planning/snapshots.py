"""Snapshots: finished runs from whose last checkpoint others begin. Which one is meant, and whether it fits.

A run fits another if both use the same method and algorithm, settings that shape networks included, in environments that
differ in nothing but the field that a task's name fills (`harness.config.EnvironmentConfig.task_field`): such tasks have
the same spaces and move alike, and only what they reward differs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.config import EnvironmentConfig
from harness.errors import ResultsError, suggest
from harness.planning.phases import differing_keys
from harness.planning.plan import Plan
from harness.runs.folder import RunFolder, RunRecord
from harness.runs.guarded import reason_of
from harness.spec import RunSpec, StartSpec
from harness.suites.validation import Problem, combine_errors, to_suite_errors

_PLACEHOLDER = re.compile(r"\{(\w*)\}")


class SnapshotUnusable(Exception):
    """The snapshot cannot be used; the message says why, and what would help."""


def resolve_snapshots(plan: Plan) -> Plan:
    """The plan with the finished run from which each run of a method with a ``snapshot`` begins, as it is on the disk now.

    Raises:
        SuiteError: A snapshot is missing, unfinished, or does not fit; names the line that asks for it.
    """
    problems: list[Problem] = []
    runs: list[RunSpec] = []
    for spec in plan.runs:
        template = plan.suite.methods[spec.method].snapshot
        if template is None or spec.start is not None:
            runs.append(spec)
            continue
        try:
            runs.append(spec.model_copy(update={"start": _find_start(plan, spec, template)}))
        except SnapshotUnusable as error:
            problems.append(Problem(str(error), (("methods", spec.method, "snapshot"),)))
    if problems:
        raise combine_errors(to_suite_errors(problems, plan.tree))
    return replace(plan, runs=tuple(runs))


def _find_start(plan: Plan, spec: RunSpec, template: str) -> StartSpec:
    environment = plan.registry.config_class(plan.registry.environment(spec.environment.family))
    return find_snapshot(
        template,
        spec,
        task_field=environment.task_field if issubclass(environment, EnvironmentConfig) else "",
        architecture_fields=plan.registry.algorithm_config(spec.algorithm.name).architecture_fields,
    )


def find_snapshot(template: str, spec: RunSpec, *, task_field: str, architecture_fields: Collection[str] | None) -> StartSpec:
    """The snapshot from which a run begins.

    Args:
        template: What the suite says.
        spec: The run, which begins from nothing so far.
        task_field: Field that a task's name fills, see `harness.config.EnvironmentConfig`.
        architecture_fields: The algorithm's settings that shape networks; ``None`` if all of them may.

    Raises:
        SnapshotUnusable: It is missing, unfinished, or does not fit.
    """
    folder = _find_folder(template, spec)
    record = _read_finished_run(folder)
    if difference := next(_mismatches(record.spec, spec, task_field, architecture_fields), ""):
        raise SnapshotUnusable(f"{folder.path}: {difference}; a run begins from one of the same method and domain only")
    seed = None if "{seed}" in template and record.spec.seed == spec.seed else record.spec.seed
    path = str(folder.path.resolve())
    return StartSpec(path=path, digest=record.digest, method_digest=record.method_digest, seed=seed)


def _find_folder(template: str, spec: RunSpec) -> RunFolder:
    path = Path(_fill_template(template, spec))
    if "*" not in template:
        return RunFolder(path)
    root = Path(path.anchor)
    try:
        found = [one for one in sorted(root.glob(str(path.relative_to(root)))) if RunFolder(one).started]
    except (ResultsError, OSError, ValueError) as error:
        raise SnapshotUnusable(f"{path}: {error}") from None
    if len(found) > 1:
        raise SnapshotUnusable(f"{path} fits {len(found)} runs, such as {found[0]} and {found[1]}: name one of them")
    if not found:
        raise SnapshotUnusable(f"no run at {path}: run the suite that makes it first, or correct the path")
    return RunFolder(found[0])


def _fill_template(template: str, spec: RunSpec) -> str:
    known: Mapping[str, Any] = {**spec.environment.config, "task": spec.task, "seed": spec.seed}
    for name in _PLACEHOLDER.findall(template):
        if name not in known:
            raise SnapshotUnusable(f"unknown placeholder '{{{name}}}'{suggest(name, known)}")
    return _PLACEHOLDER.sub(lambda found: str(known[found[1]]), template)


def _read_finished_run(folder: RunFolder) -> RunRecord:
    try:
        if not folder.started:
            raise SnapshotUnusable(f"no run at {folder.path}: run the suite that makes it first, or correct the path")
        record = folder.read()
        state = folder.state(record)
    except ResultsError as error:
        raise SnapshotUnusable(str(error)) from None
    status = record.status
    if state != "finished":
        progress = f"{status.step:,} of {status.steps:,} steps"
        raise SnapshotUnusable(f"{folder.path}: the run is {state} at {progress}; finish it first, with 'harness run'")
    if not _has_checkpoint(folder):
        raise SnapshotUnusable(f"{folder.path}: the run's checkpoint is gone; run it again with --fresh")
    return record


def _has_checkpoint(folder: RunFolder) -> bool:
    try:
        return any(entry.name.startswith("step-") for entry in folder.checkpoint.iterdir())
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SnapshotUnusable(f"{folder.checkpoint}: may not be looked into ({reason_of(error)})") from None


def _mismatches(
    snapshot: RunSpec, spec: RunSpec, task_field: str, architecture_fields: Collection[str] | None
) -> Iterator[str]:
    """Why a run cannot begin from another, the plainest reason first."""
    method, ours = (one.reward.name if one.reward else "none" for one in (snapshot, spec))
    if method != ours:
        yield f"its method is {method!r}, not {ours!r}"
    elif snapshot.reward and spec.reward:
        yield from _setting_mismatches("the method's config", snapshot.reward.config, spec.reward.config)
        if snapshot.reward.combine.mode != spec.reward.combine.mode:
            yield f"it combines rewards by {snapshot.reward.combine.mode!r}, not {spec.reward.combine.mode!r}"
    if snapshot.algorithm.name != spec.algorithm.name:
        yield f"its algorithm is {snapshot.algorithm.name!r}, not {spec.algorithm.name!r}"
    ignored = set[str]() if architecture_fields is None else spec.algorithm.config.keys() - set(architecture_fields)
    yield from _setting_mismatches("the algorithm", snapshot.algorithm.config, spec.algorithm.config, ignored)
    if snapshot.environment.family != spec.environment.family:
        yield f"its environments are of family {snapshot.environment.family!r}, not {spec.environment.family!r}"
    yield from _setting_mismatches("the environment", snapshot.environment.config, spec.environment.config, {task_field})


def _setting_mismatches(
    what: str, theirs: Mapping[str, Any], ours: Mapping[str, Any], ignored: Collection[str] = ()
) -> Iterator[str]:
    for key in differing_keys(theirs, ours, ignored):
        yield f"{key} of {what} is {theirs.get(key)!r} there and {ours.get(key)!r} here"
