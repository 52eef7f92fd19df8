"""What differs between the settings of several methods, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.report.wording import join_names

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


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
