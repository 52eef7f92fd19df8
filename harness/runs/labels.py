"""Which runs of one name are one method: on several tasks the same, and never two versions of training together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from harness.runs.folder import RunRecord
from harness.spec import SAVES_STATE, RunSpec


def label_digests(records: Mapping[str, RunRecord]) -> dict[str, str]:
    """The digest by which each run counts to a method; runs of one name are one method where they share it.

    That is the method's digest as the run recorded it, with three exceptions. A suite may have tasks of several versions of
    training, whose digests differ in nothing that matters: they share one. Of one task, runs of an earlier version never share
    it with those of a later one. And a suite may give tasks budgets of their own: where runs differ in nothing else, and each
    task has one budget, they share one digest too.

    Args:
        records: Records by folder.
    """
    newest: dict[tuple[str, str, str], int] = defaultdict(int)
    recorded: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    mixed: set[tuple[str, str, str]] = set()
    for record in records.values():
        task = _task(record.spec)
        newest[task] = max(newest[task], record.spec.training_version)
    bases = {folder: record.spec.method_base_digest for folder, record in records.items()}
    for folder, record in records.items():
        spec, method = record.spec, _method(record.spec, bases[folder])
        if spec.training_version > SAVES_STATE:
            mixed.add(method)
        elif newest[_task(spec)] == SAVES_STATE:
            recorded[method].add(record.method_digest)
    digests: dict[str, str] = {}
    for folder, record in records.items():
        method = _method(record.spec, bases[folder])
        superseded = record.spec.training_version < newest[_task(record.spec)]
        shared = not superseded and method in mixed and len(recorded[method]) <= 1
        digests[folder] = bases[folder] if shared else record.method_digest
    current = {folder: one.spec for folder, one in records.items() if one.spec.training_version == newest[_task(one.spec)]}
    return digests | _shared_by_budgets(current, digests)


def _shared_by_budgets(specs: Mapping[str, RunSpec], digests: Mapping[str, str]) -> dict[str, str]:
    """The digest of each run whose method has another budget on another task, and on none two of them."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    several = {key for key, budgets in _budgets(specs).items() if len(budgets) > 1}
    for folder, spec in specs.items():
        if (spec.suite, spec.method) in several:
            groups[_method(spec, spec.budget_free_digest)].append(folder)
    shared: dict[str, str] = {}
    for (_, _, digest), folders in groups.items():
        by_task: dict[str, set[str]] = defaultdict(set)
        for folder in folders:
            by_task[specs[folder].task].add(digests[folder])
        several_digests = len({digests[folder] for folder in folders}) > 1
        if several_digests and all(len(found) == 1 for found in by_task.values()):
            shared |= dict.fromkeys(folders, digest)
    return shared


def _budgets(specs: Mapping[str, RunSpec]) -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for spec in specs.values():
        found[spec.suite, spec.method].add(spec.steps)
    return found


def _task(spec: RunSpec) -> tuple[str, str, str]:
    return spec.suite, spec.task, spec.method


def _method(spec: RunSpec, base: str) -> tuple[str, str, str]:
    return spec.suite, spec.method, base
