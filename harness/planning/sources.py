"""Where the values of a plan come from: a line of the suite, an option of the command line, a preset, or a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from harness.suites.locations import KeyPath, Node, SourceLocation, dotted
from harness.suites.model import Suite

SourceKind = Literal["suite", "profile", "option", "preset", "family default", "task name", "default"]


@dataclass(frozen=True)
class Source:
    """Where one value comes from.

    Attributes:
        value: The resolved value, as JSON has it.
        kind: What gave it: a line of the suite or of one of its profiles, an option of the command line, a preset, the
            environment family's default for the algorithm, the name of the task, or the default of the setting itself.
        origin: The place in words, such as ``quick.yaml:12``, ``--set steps=4096`` or ``preset 'burda2018' of method 'rnd'``.
    """

    value: Any
    kind: SourceKind
    origin: str


@dataclass(frozen=True)
class Layer:
    """Values that one thing gives beside what the suite says.

    Attributes:
        kind: What gives them.
        origin: The place in words, as a `Source` has it.
        values: The values, nested as in the configuration.
    """

    kind: SourceKind
    origin: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class ResolvedBlock:
    """The resolved settings of one environment, algorithm or method, with the layers that gave them.

    Attributes:
        path: The key path at which the settings are addressed.
        values: The resolved settings, as JSON has them.
        layers: The layers below what the suite says, strongest first.
        default: What gives the values that nothing else gives, in words.
        inherited: A key path whose settings hold for this block too, such as ``algorithm`` for every method's algorithm.
        scalar_keys: The settings that are meant where the suite writes a single value instead of a mapping.
    """

    path: KeyPath
    values: Mapping[str, Any]
    layers: Sequence[Layer]
    default: str
    inherited: KeyPath | None = None
    scalar_keys: Sequence[str] = ()


_NOT_OF_THE_SUITE = {
    "suite",
    "description",
    "environment",
    "algorithm",
    "precision",
    "tune",
    "executor",
    "trackers",
    "profiles",
}


def find_sources(suite: Suite, tree: Node, blocks: Sequence[ResolvedBlock]) -> dict[str, Source]:
    """The source of every value of a suite and of its resolved blocks, by dotted key."""
    found: dict[str, Source] = {}
    for path, value in _leaves(_suite_values(suite)):
        found[dotted(path)] = _source(value, path, (path,), tree, (), "default of the suite")
    for block in blocks:
        above = [block.path, *([block.inherited] if block.inherited else [])]
        for path, value in _leaves(block.values):
            written = tuple((*prefix, *path) for prefix in above)
            if len(path) == 1 and path[0] in block.scalar_keys:
                written = (*written, *above)
            found[dotted((*block.path, *path))] = _source(value, path, written, tree, block.layers, block.default)
    return found


def _source(
    value: Any, path: KeyPath, written: Sequence[KeyPath], tree: Node, layers: Sequence[Layer], default: str
) -> Source:
    for place in written:
        node, rest = tree.find(place)
        abbreviated = place[-len(path) :] != path  # a single value for the whole block; nothing is none
        if not rest and not isinstance(node.content, dict) and not (abbreviated and node.content is None):
            return Source(value, _location_kind(node.location), _describe_location(node.location))
    for layer in layers:
        if _has(layer.values, path):
            return Source(value, layer.kind, layer.origin)
    return Source(value, "default", default)


def _location_kind(location: SourceLocation) -> SourceKind:
    if location.path[:1] == ("profiles",):
        return "profile"
    return "option" if isinstance(location.source, str) else "suite"


def _describe_location(location: SourceLocation) -> str:
    if location.source is None:
        return "the suite"
    return f"{location.source}:{location.line}" if location.line is not None else str(location.source)


def _suite_values(suite: Suite) -> dict[str, Any]:
    """What a suite says itself, without what its environments, algorithms and methods are configured with, or nothing says."""
    data = suite.model_dump(mode="json", exclude=_NOT_OF_THE_SUITE)
    for name, task in data["tasks"].items():
        data["tasks"][name] = {key: task[key] for key in ("normalise", "steps") if task[key] is not None}
    for name, block in data["methods"].items():
        data["methods"][name] = {key: block[key] for key in ("reward", "preset", "snapshot") if block[key] is not None}
    data["seeds"] = list(suite.seeds)
    return data


def _leaves(values: Mapping[str, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(cast(Mapping[str, Any], value), (*above, key))
        else:
            yield (*above, key), value


def _has(values: Any, path: KeyPath) -> bool:
    found: Any = values
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = cast(Mapping[Any, Any], found)[key]
    return True
