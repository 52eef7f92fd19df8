"""YAML 1.2 as plain data in which every value knows where it was written.

The tree is built from the parser's events. Nothing but text, numbers, booleans, nulls, lists and mappings can come out of
it, numbers are those of people (``1e6``, ``32_000_000``), ``<<`` merges mappings as in YAML 1.1, and what YAML allows but a
suite never needs (tags, duplicate keys, several documents, aliases that multiply without end) is refused where it stands.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from harness.errors import SuiteError, shorten
from harness.suites.locations import KeyPath, Node, Scalar, SourceLocation

MAX_BYTES = 500_000
"""Bytes of a file, or characters of an option: some fifty times as much as the longest suite that is shipped."""

MAX_DEPTH = 32
MAX_VALUES = 10_000
"""Values of one tree, which is about as many as can be read in a second."""

_MERGE_KEY = "<<"
"""The key that brings the content of another mapping, as YAML 1.1 defined it."""

_CONSTANTS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9](?:_?[0-9])*|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9](?:_?[0-9])*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def read_yaml(file: Path) -> Node:
    """The tree of a YAML file.

    Raises:
        SuiteError: It cannot be read, is too large, is not UTF-8 or is not the YAML described above; names file and line.
    """
    try:
        content = _read_bounded(file)
    except FileNotFoundError:
        close = nearest_file(file)
        raise SuiteError(f"no such file: did you mean {close}?" if close else "no such file", file=file) from None
    except IsADirectoryError:
        raise SuiteError("is a directory, not a suite file", file=file) from None
    except (OSError, ValueError) as error:  # ValueError: no file can have this name
        raise SuiteError(f"cannot be read: {getattr(error, 'strerror', '') or error}", file=file) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SuiteError(f"is not UTF-8 text (byte 0x{content[error.start]:02x})", file=file, line=line) from None
    return parse_yaml(text, file)


def _read_bounded(file: Path) -> bytes:
    """The content of a regular file of no more than `MAX_BYTES`, of which no more is read than that.

    Pipes and devices are refused: they may have no end, or keep a reader waiting for ever.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # a pipe that nobody writes into opens at once, too
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise SuiteError("is a directory, not a suite file", file=file)
        if not stat.S_ISREG(status.st_mode):
            raise SuiteError("is not a regular file but a pipe or a device: save the suite first", file=file)
        content = b"" if status.st_size > MAX_BYTES else opened.read(MAX_BYTES + 1)
    if status.st_size > MAX_BYTES or len(content) > MAX_BYTES:
        raise SuiteError(f"is larger than {MAX_BYTES:,} bytes, which no suite needs", file=file)
    return content


def nearest_file(file: Path) -> Path | None:
    """A YAML file of nearly this name, in its folder or among the suites; ``None`` if there is none."""
    found = {path.stem: path for folder in (Path("suites"), file.parent) for path in sorted(folder.glob("*.y*ml"))}
    close = difflib.get_close_matches(file.stem, found, n=1, cutoff=0.5)
    return found[close[0]] if close else None


def parse_yaml(text: str, source: Path | str, root: KeyPath | None = None) -> Node:
    """The tree of a YAML text.

    Args:
        text: One document; an empty one is null.
        source: Where it was written, for errors.
        root: Path of the value, for an option of the command line. Its locations have no lines.

    Raises:
        SuiteError: It is too large, or not the YAML described above.
    """
    if len(text) > MAX_BYTES:
        raise SuiteError(f"is larger than {MAX_BYTES:,} characters, which no suite needs", file=source)
    start = SourceLocation(source, None if root is not None else 1, root or ())
    return _TreeBuilder(_parse_events(text, start), start).document()


def _parse_events(text: str, start: SourceLocation) -> Iterator[Event]:
    def error(message: str, line: int) -> SuiteError:
        return SuiteError(f"not YAML: {' '.join(message.split())}", file=start.source, line=start.line and line)

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as problem:
        raise error(_parser_message(problem), _line(problem.problem_mark)) from None
    except ReaderError as problem:
        position = cast(int, problem.position)
        where = text.count("\n", 0, position) + 1
        raise error(f"character {problem.character!r} is not allowed", where) from None
    except (YAMLError, ValueError, OverflowError) as problem:  # the last two: an escape beyond Unicode
        raise error(str(problem), 1) from None


def _parser_message(problem: Any) -> str:
    """What a `MarkedYAMLError`, whose attributes ruamel does not annotate, says."""
    first_line = _line(problem.context_mark)
    if "'\\t'" in str(problem.problem):
        return f"{problem.problem}; indent with spaces"
    if problem.context and first_line != _line(problem.problem_mark):
        return f"{problem.problem}, {problem.context} that begins in line {first_line}"
    return str(problem.problem)


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 1


class _TreeBuilder:
    """Makes a tree of events, which come in the order of the text."""

    def __init__(self, events: Iterator[Event], start: SourceLocation) -> None:
        self.events, self.start = events, start
        self.anchors: dict[str, Node] = {}
        self.values = 0

    def document(self) -> Node:
        root = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root:
                    raise self.error(event, "a second document ('---') begins here; write one file for each suite")
                root = self.node(next(self.events), self.start)
        return root or Node(None, self.start)

    def node(self, event: Any, location: SourceLocation) -> Node:
        if isinstance(event, AliasEvent):
            return self.alias(event, location)
        if event.tag not in (None, "!"):
            raise self.error(event, f"tag {event.tag!r} is not allowed: values are plain YAML")
        self.check_size(event, location, 1, 1)
        if isinstance(event, ScalarEvent):
            node = Node(self.scalar(event), location)
        else:
            node = Node(self.items(location) if isinstance(event, SequenceStartEvent) else self.pairs(location), location)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def items(self, location: SourceLocation) -> list[Node]:
        found: list[Node] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self.node(event, self.child_location(event, location, len(found))))
        return found

    def pairs(self, location: SourceLocation) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merge: tuple[Event, Node] | None = None
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event)
            here = self.child_location(event, location, key)
            merging = key == _MERGE_KEY and isinstance(event, ScalarEvent) and event.style is None
            if earlier := (merge and merge[1]) if merging else own.get(key):
                first = earlier.location.line
                raise here.error(f"key {key!r} is given twice" + (f"; first in line {first}" if first else ""))
            node = self.node(next(self.events), here)
            if merging:
                merge = event, node
            else:
                own[key] = node
        return {**self.merged(*merge), **own} if merge else own

    def merged(self, event: Event, node: Node) -> dict[str, Node]:
        """What ``<<`` brings into a mapping, which its own keys replace: one mapping, or several of which the first wins."""
        sources = node.content if isinstance(node.content, list) else [node]
        if not all(isinstance(source.content, dict) for source in sources):
            raise self.error(event, "'<<' takes a mapping, such as *defaults, or a list of mappings")
        return {key: value for source in reversed(sources) for key, value in source.mapping.items()}

    def key(self, event: Event) -> str:
        if not isinstance(event, ScalarEvent) or event.tag:
            raise self.error(event, "a key must be plain text")
        return self.text(event)

    def scalar(self, event: ScalarEvent) -> Scalar:
        text = self.text(event)
        if event.style is not None:
            return text
        try:
            return _plain_scalar(text)
        except ValueError as error:
            raise self.error(event, str(error)) from None

    def text(self, event: ScalarEvent) -> str:
        text = cast(str, event.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise self.error(event, "half a surrogate pair (\\ud800 to \\udfff) is not a character")
        return text

    def alias(self, event: AliasEvent, location: SourceLocation) -> Node:
        if event.anchor not in self.anchors:
            name = repr(cast(str, event.anchor))[1:-1]  # as it can be printed
            raise self.error(event, f"alias *{name} comes before its anchor &{name} is complete")
        node = self.anchors[event.anchor]
        self.check_size(event, location, *_size_and_depth(node))
        return Node(node.content, location)

    def check_size(self, event: Event, location: SourceLocation, values: int, depth: int) -> None:
        """Keeps the tree small enough to walk, aliases counted in full."""
        self.values += values
        if self.values > MAX_VALUES:
            raise self.error(event, f"more than {MAX_VALUES:,} values, each alias counted in full")
        if len(location.path) - len(self.start.path) + depth > MAX_DEPTH:
            raise self.error(event, f"nested more than {MAX_DEPTH} deep")

    def child_location(self, event: Event, location: SourceLocation, key: str | int) -> SourceLocation:
        return SourceLocation(location.source, self.start.line and _line(event.start_mark), (*location.path, key))

    def error(self, event: Event, message: str) -> SuiteError:
        return SuiteError(message, file=self.start.source, line=self.start.line and _line(event.start_mark))


def _size_and_depth(node: Node) -> tuple[int, int]:
    """How many values a tree holds, and how many lie one below the other."""
    children = list(node.mapping.values()) or (node.content if isinstance(node.content, list) else [])
    sizes = [_size_and_depth(child) for child in children]
    return 1 + sum(values for values, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)


def _plain_scalar(text: str) -> Scalar:
    """YAML 1.2's core schema with ``_`` between digits and without infinities, which no setting takes."""
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    if _INTEGER.fullmatch(text):
        if len(text) > 300:
            raise ValueError("a number of more than 300 digits")
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        if math.isinf(number := float(text)):
            raise ValueError(f"number {shorten(text)} is too large")
        return number
    return text
