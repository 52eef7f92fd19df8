"""What this distribution requires, against what is installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

OWN_DISTRIBUTION = "exploration-harness"
"""The name of the harness, as pip has it."""

_COLLECTIONS = frozenset({"all", "dev"})
"""Extras that only put others together, or serve its development."""


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
    distribution = metadata.distribution(OWN_DISTRIBUTION)
    requirements = [Requirement(text) for text in distribution.requires or ()]
    for extra in ["", *extras_of(distribution)]:
        own = [one for one in requirements if _applies(one, extra) and not (extra and _applies(one, ""))]
        if not own:
            yield CheckedRequirements(extra, "nothing that can be installed on this Python or system", ())
            continue
        found = {one: _installed(one.name) for one in own}
        unmet = [
            one for one, version in found.items() if version is None or not one.specifier.contains(version, prereleases=True)
        ]
        wrong = ", ".join(f"{one.name} {found[one] or 'not installed'} (wanted: {one.specifier})" for one in unmet)
        yield CheckedRequirements(
            extra,
            wrong or ", ".join(f"{one.name} {version}" for one, version in found.items()),
            tuple(f"{one.name}{one.specifier}" for one in unmet),
        )


def extras_of(distribution: metadata.Distribution) -> list[str]:
    """The extras of a distribution by name, without those that only put others together."""
    return sorted(set(distribution.metadata.get_all("Provides-Extra") or ()) - _COLLECTIONS)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
