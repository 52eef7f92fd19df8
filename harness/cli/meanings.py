"""What a name on the command line means: suites, methods, algorithms and environment families may share it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from harness.errors import UnknownNameError
from harness.registry import installed
from harness.registry.mixtures import split_name
from harness.suites.files import file_hints, is_suite_name, packaged_suites

Kind = Literal["suite", "method", "algorithm", "environment"]
"""What can be checked."""


def meanings(name: str, kind: Kind | None = None) -> list[tuple[Kind, str]]:
    """What a name means: its kind and the name, for everything that has it.

    Args:
        name: A name, or the path of a suite.
        kind: The only kind that counts; all of them if not given.

    Raises:
        UnknownNameError: Nothing has this name.
    """
    registry = installed()
    known: dict[Kind, Collection[str]] = {
        "suite": packaged_suites(registry),
        "method": registry.methods,
        "algorithm": registry.algorithms,
        "environment": registry.environments,
    }
    asked: dict[Kind, Collection[str]] = {one: names for one, names in known.items() if kind in (None, one)}
    if not is_suite_name(name) and "suite" in asked:
        return [("suite", name)]
    found: list[tuple[Kind, str]] = [(one, name) for one, names in asked.items() if name in names]
    if not found and "method" in asked and split_name(name) is not None and registry.method(name):
        return [("method", name)]
    if not found:
        notes = [*map(str, registry.broken), *file_hints(name)]
        hint = f"- note: {'; '.join(notes)}" if notes else ""
        raise UnknownNameError(_one_of([*asked]), name, {one for names in asked.values() for one in names}, hint)
    return found


def _one_of(kinds: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
