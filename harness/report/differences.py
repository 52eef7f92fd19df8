"""What differs between the settings of several methods, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from harness.report.wording import join_names
from harness.runs.folder import Attempt
from harness.runs.naming import settings_in_words
from harness.spec import RunSpec

ABSENT = "as before it could be set"
"""Stands for a setting that a record does not have: at the value that every run had before there was a choice."""


def describe_differences(settings: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """One phrase for each setting that is not the same everywhere.

    >>> describe_differences([("ppo", {"size": 84}), ("rnd", {"size": 84}), ("snd_v", {"size": 96})])
    ['size 84 (ppo and rnd), 96 (snd_v)']

    Args:
        settings: Names of methods, each with settings; a name may occur more than once.
    """
    keys = dict.fromkeys(key for _, values in settings for key in values)
    return [phrase for key in keys if (phrase := _describe(key, settings))]


def _describe(key: str, settings: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    owners: dict[str, dict[str, None]] = {}
    for name, values in settings:
        owners.setdefault(_show(values[key]) if key in values else ABSENT, {})[name] = None
    if len(owners) == 1:
        return ""
    return f"{key} " + ", ".join(f"{value} ({join_names(list(names))})" for value, names in owners.items())


def describe_settings(groups: Sequence[Sequence[RunSpec]]) -> list[str]:
    """What differs between two groups of runs of a method; one phrase for each setting, of its environments as well.

    Args:
        groups: The specifications of the runs before and after a change.
    """
    if not all(groups):
        return []
    old, new = (dict(settings_in_words(specs)) for specs in groups)
    phrases = [_then(key, old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
    old, new = (_environments(specs) for specs in groups)
    return phrases + [_then(key, old[key], new[key]) for key in old if key in new and old[key] != new[key]]


def _environments(specs: Sequence[RunSpec]) -> dict[str, str]:
    """Settings of the environment of each task; those of several runs of a task, one after the other."""
    found: dict[str, dict[str, None]] = {}
    for spec in specs:
        for key, value in {"family": spec.environment.family, **spec.environment.config}.items():
            found.setdefault(f"{key} of {spec.task}", {})[_show(value)] = None
    return {key: " or ".join(values) for key, values in found.items()}


def _then(key: str, old: str | None, new: str | None) -> str:
    return f"{key} {'not set' if old is None else old}, then {'not set' if new is None else new}"


def describe_provenance(groups: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """What two groups of runs were trained with and that differs; one phrase for each fact.

    Args:
        groups: What the runs recorded, before and after a change.
    """
    found: list[dict[str, dict[str, None]]] = [{}, {}]
    for facts, group in zip(found, groups, strict=True):
        for provenance in group:
            for name, value in _facts(provenance):
                facts.setdefault(name, {})[value] = None
    old, new = ({name: " and ".join(sorted(values)) for name, values in facts.items()} for facts in found)
    return [_then(name, old[name], new[name]) for name in old if name in new and old[name] != new[name]]


_COMPARED = ("harness", "commit", "plugins", "packages", "python", "cpu", "device")
"""What an attempt recorded that may change a run's numbers."""


_VERSIONS = ("harness", "commit", "plugins", "packages", "python")
"""What of these is code."""


def describe_versions(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The versions of the code that a run was trained with, by name."""
    return dict(_facts({key: provenance[key] for key in _VERSIONS if key in provenance}))


def describe_changes(attempts: Sequence[Attempt]) -> list[str]:
    """What changed between attempts of one run that went on from what an earlier one had left; one phrase for each.

    Args:
        attempts: The attempts of a run, oldest first.
    """
    lasting = [one for one, following in pairwise(attempts) if following.step > one.step]
    lasting += attempts[-1:]  # what an attempt did from its checkpoint on is lost if the next one begins there again
    phrases: dict[str, None] = {}
    for before, after in pairwise(lasting):
        old, new = dict(_facts(before.provenance)), dict(_facts(after.provenance))
        for name in dict.fromkeys((*old, *new)):
            values = [facts.get(name, "none") for facts in (old, new)]
            if values[0] != values[1]:
                phrases[f"{name} {values[0]}, then {values[1]} from step {after.step:,}"] = None
    return list(phrases)


def _facts(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _COMPARED:
        value = provenance.get(key)
        if isinstance(value, Mapping):
            parts = cast(Mapping[str, Any], value)
            yield from ((f"{key.removesuffix('s')} {name}", _show(part)) for name, part in parts.items())
        elif value is not None:
            yield key, _show(value)


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
