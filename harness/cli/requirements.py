"""What this distribution requires, against what is installed."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import MappingProxyType

from packaging.requirements import Requirement

from harness.version import DISTRIBUTION, installed_version

_COLLECTIONS = frozenset({"all", "dev"})
"""Extras that only put others together, or serve its development."""


_OLDEST_PYTHON = {"python_version": "3.11", "python_full_version": "3.11.0"}
"""The Python for which everything can be had."""


@dataclass(frozen=True)
class CheckedRequirements:
    """The requirements of the distribution itself, or of one of its extras.

    Attributes:
        extra: The extra; empty for what is always required.
        text: What was found.
        unmet: Requirements that are not met, as pip takes them.
    """

    extra: str
    text: str
    unmet: tuple[str, ...]


def check_requirements() -> Iterator[CheckedRequirements]:
    """The distribution's own requirements, then those of each extra by name."""
    distribution = metadata.distribution(DISTRIBUTION)
    requirements = [Requirement(text) for text in distribution.requires or ()]
    for extra in ["", *extras_of(distribution)]:
        own = [one for one in requirements if _applies(one, extra) and not (extra and _applies(one, ""))]
        left_out = [one.name for one in requirements if not _applies(one, extra) and _applies(one, extra, _OLDEST_PYTHON)]
        note = f"left out on Python {platform.python_version()}, for which it cannot be had: {', '.join(left_out)}"
        found = {one: installed_version(one.name) for one in own}
        unmet = [
            one for one, version in found.items() if version is None or not one.specifier.contains(version, prereleases=True)
        ]
        wrong = ", ".join(f"{one.name} {found[one] or 'not installed'} (wanted: {one.specifier})" for one in unmet)
        texts = [wrong or ", ".join(f"{one.name} {version}" for one, version in found.items()), note if left_out else ""]
        yield CheckedRequirements(
            extra,
            "; ".join(filter(None, texts)) or "nothing for this system",
            tuple(f"{one.name}{one.specifier}" for one in unmet),
        )


def extras_of(distribution: metadata.Distribution) -> list[str]:
    """The extras of a distribution by name, without those that only put others together."""
    return sorted(set(distribution.metadata.get_all("Provides-Extra") or ()) - _COLLECTIONS)


def _applies(requirement: Requirement, extra: str, python: Mapping[str, str] = MappingProxyType({})) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra, **python})
