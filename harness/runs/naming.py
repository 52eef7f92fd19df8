"""What methods are called: by their names, and where several configurations share one, by what differs between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from harness.errors import shorten
from harness.runs.folder import RunRecord
from harness.runs.labels import label_digests
from harness.spec import SAVES_STATE, RunSpec

SEPARATOR = " · "
"""Stands between a method's name and what tells it from others of the name."""

_MAX_NAMED = 3
_MAX_VALUE = 24
_PARTS = 100  # two decimals

_Settings = Mapping[str, str]
"""Settings as words, by their dotted keys, in the order in which they are looked at."""

_TECHNICAL = ("checkpoint_every", "training_version", "replay_steps")
"""Named only where nothing else tells methods apart; so are the steps of phases, which follow from those of the run."""


def label_runs(records: Mapping[str, RunRecord]) -> dict[str, str]:
    """The label of each run's method, by folder: its name, and what differs where several configurations share the name.

    Two budgets of one method are ``ppo · 10k steps`` and ``ppo · 30k steps``. What no setting tells apart is named by the
    digest in its folder's name.

    Args:
        records: Records by folder.
    """
    digests = label_digests(records)
    of_name: dict[tuple[str, str], dict[str, list[str]]] = {}
    for folder in sorted(records):
        spec = records[folder].spec
        of_name.setdefault((spec.suite, spec.method), {}).setdefault(digests[folder], []).append(folder)
    labels: dict[str, str] = {}
    for (_, name), groups in of_name.items():
        specs = [[records[folder].spec for folder in folders] for folders in groups.values()]
        found = [name] if len(groups) == 1 else _tell_apart(name, specs)
        for label, folders in zip(found, groups.values(), strict=True):
            labels |= dict.fromkeys(folders, label)
    return {folder: labels[folder] for folder in records}


def format_steps(steps: int) -> str:
    """A number of steps as people say it, exact all the same.

    >>> format_steps(30_000), format_steps(1_500_000), format_steps(30_001)
    ('30k', '1.5M', '30,001')
    """
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if steps >= size and steps % (size // _PARTS) == 0:
            whole, part = divmod(steps, size)
            return f"{whole:,}" + f".{part * _PARTS // size:02d}".rstrip("0").rstrip(".") + unit
    return f"{steps:,}"


def _tell_apart(name: str, groups: Sequence[Sequence[RunSpec]]) -> list[str]:
    """Labels of several configurations of one name, given the runs of each."""
    settings = [dict(settings_in_words(specs)) for specs in groups]
    keys, more = _choose(settings)
    plain = Counter(_leaf(key) for key in keys)
    labels: list[str] = []
    for found in settings:
        parts = [_phrase(key, found.get(key), dotted=plain[_leaf(key)] > 1) for key in keys]
        rest = [f"{more} more"] if more else []
        labels.append(SEPARATOR.join([name, ", ".join([*parts, *rest])]) if parts else name)
    several = {label for label, n in Counter(labels).items() if n > 1}
    pairs = zip(labels, groups, strict=True)
    return [f"{label} ({specs[0].digest})" if label in several else label for label, specs in pairs]


def _choose(settings: Sequence[_Settings]) -> tuple[list[str], int]:
    """The keys to name, in their order, and how many more differ: all that differ, or as many of a long list as are needed."""
    order = list(dict.fromkeys(key for found in settings for key in found))
    differing = [key for key in order if len({found.get(key) for found in settings}) > 1]
    told = [key for key in differing if not _is_technical(key)]
    if {"algorithm", "bonus"} & set(told):  # then settings that only one of them has follow from that
        told = [key for key in told if all(key in found for found in settings)]
    if len(told) <= _MAX_NAMED and _classes(settings, told) == len(settings):
        return told, 0
    needed: list[str] = []
    for key in (*told, *(key for key in differing if key not in told)):
        if _classes(settings, [*needed, key]) > _classes(settings, needed):
            needed.append(key)
    for key in told:
        if len(needed) < _MAX_NAMED and key not in needed:
            needed.append(key)
    return sorted(needed, key=order.index), len([key for key in told if key not in needed])


def _classes(settings: Iterable[_Settings], keys: Sequence[str]) -> int:
    return len({tuple(found.get(key) for key in keys) for found in settings})


def _is_technical(key: str) -> bool:
    return key in _TECHNICAL or (key.startswith("phases.") and key.endswith(".steps"))


def settings_in_words(specs: Sequence[RunSpec]) -> Iterator[tuple[str, str]]:
    """What may differ between configurations, as words by dotted keys.

    Args:
        specs: Runs of one configuration, at least one; they differ in their budgets at most.
    """
    spec = specs[0]
    budgets = sorted({one.steps for one in specs})
    yield "steps", " to ".join(format_steps(steps) for steps in dict.fromkeys((budgets[0], budgets[-1])))
    yield "algorithm", spec.algorithm.name
    yield "bonus", spec.reward.name if spec.reward else "none"
    if spec.reward:
        yield from _flatten("", spec.reward.config)
        yield from _flatten("combine.", spec.reward.combine.model_dump(mode="json"))
        yield from _flatten("", spec.reward.config_by_task)
    yield from _flatten("algorithm.", spec.algorithm.config)
    for phase in spec.phases:
        yield from _flatten(f"phases.{phase.name}.", phase.model_dump(mode="json", exclude={"name"}))
    if spec.start:
        yield "start", spec.start.method_digest
    yield from _flatten("precision.", spec.precision.model_dump(mode="json"))
    yield from _flatten("evaluation.", spec.evaluation.model_dump(mode="json"))
    yield "training_version", str(spec.training_version)
    if spec.training_version == SAVES_STATE:
        yield "checkpoint_every", f"{spec.checkpoint_every:,}"
    yield from _flatten("", {"replay_steps": spec.replay_steps})


def _flatten(prefix: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flatten(f"{prefix}{key}.", cast(Mapping[str, Any], value))
        elif value is not None:
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)


def _phrase(key: str, value: str | None, *, dotted: bool) -> str:
    """A setting in words, such as ``30k steps`` and ``eta 0.5``; of one that is not set, ``no eta``."""
    name = key if dotted else _leaf(key)
    if value is None:
        return f"no {name}"
    return f"{value} steps" if key == "steps" else f"{name} {shorten(value, _MAX_VALUE)}"


def _leaf(key: str) -> str:
    """A key as it is said: an algorithm's or a combination's by its last part, others in full."""
    if key in _TECHNICAL:
        return key.replace("_", " ")
    return "combine" if key == "combine.mode" else key.removeprefix("algorithm.").removeprefix("combine.")
