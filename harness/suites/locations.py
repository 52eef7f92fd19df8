"""Plain data in which every value knows where it was written, so that errors can say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from harness.errors import SuiteError, shorten

KeyPath = tuple[str | int, ...]
Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class SourceLocation:
    """Where a value was written.

    Attributes:
        source: A file, or an option of the command line such as ``--set steps=4096``; ``None`` if in neither.
        line: 1-based line of its key, or of the value where there is no key; ``None`` if not in a file.
        path: Keys and list indices that lead to it.
    """

    source: Path | str | None = None
    line: int | None = None
    path: KeyPath = ()

    def error(self, message: str, *below: str | int) -> SuiteError:
        """The error that names this location, or the key ``below`` it."""
        return SuiteError(message, file=self.source, line=self.line, key=dotted((*self.path, *below)))


@dataclass(frozen=True)
class Node:
    """A value and where it was written.

    Attributes:
        content: A scalar, a list of nodes, or a mapping of nodes.
        location: Where the value was written.
    """

    content: Scalar | list[Node] | dict[str, Node]
    location: SourceLocation = SourceLocation()

    @classmethod
    def of(cls, data: Any, location: SourceLocation = SourceLocation()) -> Node:
        """Plain data as a tree; all of it was written at one location."""

        def below(key: str | int) -> SourceLocation:
            return replace(location, path=(*location.path, key))

        if isinstance(data, Mapping):
            entries = cast(Mapping[Any, Any], data)
            return cls({str(key): cls.of(value, below(str(key))) for key, value in entries.items()}, location)
        if isinstance(data, Sequence) and not isinstance(data, str):
            return cls([cls.of(value, below(index)) for index, value in enumerate(cast(Sequence[Any], data))], location)
        return cls(data, location)

    @property
    def mapping(self) -> dict[str, Node]:
        """The content of a mapping; empty for anything else."""
        return self.content if isinstance(self.content, dict) else {}

    def child(self, key: str) -> Node:
        """The node under a key of a mapping; an empty one where there is none."""
        return self.mapping.get(key) or Node(None, replace(self.location, path=(*self.location.path, key)))

    def to_data(self) -> Any:
        """The content as plain data."""
        if isinstance(self.content, dict):
            return {key: node.to_data() for key, node in self.content.items()}
        return [node.to_data() for node in self.content] if isinstance(self.content, list) else self.content

    def find(self, path: KeyPath) -> tuple[Node, KeyPath]:
        """The node at a path, or the nearest node above it with the rest of the path."""
        node = self
        for index, key in enumerate(path):
            listed = dict(enumerate(node.content)) if isinstance(node.content, list) else node.mapping
            children = cast(Mapping[Any, Node], listed)
            if key not in children:
                return node, path[index:]
            node = children[key]
        return node, ()


def dotted(path: KeyPath) -> str:
    """A path as people write it.

    >>> dotted(("tasks", "gravitar", "seeds", 0))
    'tasks.gravitar.seeds.0'
    """
    return ".".join(shorten(str(key) if str(key).isprintable() else repr(key)) for key in path)
