"""The settings of trackers: a suite's ``trackers`` block, checked against what each tracker says that it has.

They say where runs are followed and not what is trained: none of them is part of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from harness.config import Config
from harness.config.secrets import masked
from harness.errors import PluginError, UnknownNameError
from harness.planning.resolve import ResolvedSuite
from harness.planning.sources import ResolvedBlock
from harness.registry import Registry
from harness.suites.locations import KeyPath
from harness.suites.model import Suite
from harness.suites.validation import Problem, ValidationFailed, validate


def resolve_trackers(suite: Suite, resolved: ResolvedSuite, registry: Registry) -> None:
    """Check the settings of every tracker that the suite names."""
    for name in suite.trackers:
        with resolved.collecting():
            values = configure_tracker(suite, name, registry).model_dump(mode="json")
            resolved.blocks.append(ResolvedBlock(("trackers", name), values, [], f"default of tracker {name!r}"))


def configure_tracker(suite: Suite, name: str, registry: Registry) -> Config:
    """The settings of a tracker: its defaults, and over them what the suite says.

    Raises:
        ValidationFailed: With everything that is wrong.
    """
    path, written = ("trackers", name), suite.trackers.get(name, {})
    try:
        description = registry.tracker(name)
        model = registry.config_class(description)
    except (UnknownNameError, PluginError) as error:
        raise ValidationFailed(Problem(str(error), (path, ("trackers",)))) from None
    if hidden := list(_hidden(written, path)):
        remedy = "suites are kept beside results, so give it by an environment variable"
        raise ValidationFailed(
            *(
                Problem(f"tracker {name!r}: what may be a password does not belong here: {remedy}", (place,))
                for place in hidden
            )
        )
    if description.inline and written:
        raise ValidationFailed(Problem(f"tracker {name!r} has no settings: leave them out", (path,)))
    return validate(model, written, lambda key: ((*path, *key), path, ("trackers",)), f"tracker {name!r}")


def _hidden(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    """Where a value holds a URL that cannot be shown as it is."""
    if isinstance(value, dict):
        for key, part in cast(dict[str, Any], value).items():
            yield from _hidden(part, (*path, key))
    elif isinstance(value, list):
        for part in cast(Iterable[Any], value):
            yield from _hidden(part, path)
    elif isinstance(value, str) and "://" in value and masked(value) != value:
        yield path
