"""Laying one tree over another: profiles, and settings given on the command line.

Mappings merge, lists and scalars replace. A task or method is dropped by giving it null.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from harness.errors import UserError, shorten, suggest
from harness.suites.locations import KeyPath, Node, SourceLocation
from harness.suites.validation import describe_value
from harness.suites.yaml import MAX_DEPTH, parse_yaml, read_yaml

FILE_PREFIX = "@"
"""What begins an override that is a file."""

NAMED_SECTIONS = ("tasks", "methods")
"""The sections of a suite whose keys are names of the writer's choice."""


def merge_nodes(base: Node, over: Node) -> Node:
    """``over`` laid over ``base``; every value keeps the location where it was written."""
    if not (isinstance(base.content, dict) and isinstance(over.content, dict)):
        return over
    merged = {**base.content, **over.content}
    for key in base.content.keys() & over.content.keys():
        merged[key] = merge_nodes(base.content[key], over.content[key])
    return replace(base, content=merged)


def apply_profile(tree: Node, name: str) -> Node:
    """The suite at the scale of one of its profiles.

    Raises:
        SuiteError: There is no such profile, it is not a part of a suite, or it drops what the suite does not have.
    """
    profiles = tree.child("profiles")
    if name not in profiles.mapping:
        raise profiles.location.error(f"unknown profile {shorten(name)!r}{suggest(name, profiles.mapping)}")
    profile = profiles.mapping[name]
    if profile.content is None:
        return tree
    if not isinstance(profile.content, dict):
        raise profile.location.error(f"expected a mapping, got {describe_value(profile.to_data())}")
    if "profiles" in profile.mapping:
        raise profile.child("profiles").location.error("a profile holds no profiles")
    return _overlay(tree, profile)


def apply_override(tree: Node, key: str, text: str) -> Node:
    """The suite with one value set.

    Args:
        tree: Content of the suite.
        key: Dotted path, such as ``methods.rnd.config.learning_rate``; or ``@`` and a file that holds a part of a suite.
        text: The value, as YAML; nothing for a file.

    Raises:
        SuiteError: The text is not YAML, or the key addresses a task or method that the suite does not have. Other
            unknown keys show when the suite is validated.
    """
    if key.startswith(FILE_PREFIX):
        return _apply_file(tree, Path(key.removeprefix(FILE_PREFIX)))
    source = f"--set {shorten(key)}={shorten(text)}"
    if key.count(".") >= MAX_DEPTH:
        raise SourceLocation(source).error(f"a key of more than {MAX_DEPTH} parts, which no setting has")
    path = _split_key(tree, key)
    if not all(path) or path[0] == "profiles":
        raise SourceLocation(source).error("expected a key of the suite, such as steps or algorithm.n_envs")
    section, names = path[0], tree.child(path[0]).mapping
    if section in NAMED_SECTIONS and len(path) > 1 and path[1] not in names:
        raise SourceLocation(source).error(f"unknown {section[:-1]} {shorten(path[1])!r}{suggest(path[1], names)}")
    return _overlay(tree, nest_at_path(path, parse_yaml(text, source, root=path)))


def nest_at_path(path: KeyPath, node: Node) -> Node:
    """The tree in which nothing but this node stands at the path."""
    for depth in reversed(range(len(path))):
        node = Node({str(path[depth]): node}, replace(node.location, path=path[:depth]))
    return node


def parse_override(text: str) -> tuple[str, str]:
    """Key and value of ``key=value``; of ``@file``, the whole and nothing.

    Raises:
        UserError: It is neither.
    """
    if text.startswith(FILE_PREFIX):
        return text.strip(), ""
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--set {shorten(text)}: expected key=value, such as steps=4096, or @FILE")
    return key.strip(), value


def _apply_file(tree: Node, file: Path) -> Node:
    part = read_yaml(file)
    if not part.mapping:
        raise part.location.error(f"expected a part of a suite such as 'methods: ...', got {describe_value(part.to_data())}")
    if "profiles" in part.mapping:
        raise part.child("profiles").location.error("a part that is laid over a suite holds no profiles")
    return _overlay(tree, part)


def _split_key(tree: Node, key: str) -> tuple[str, ...]:
    """The parts of a dotted key; a name in the suite may hold dots itself, and the longest that fits is meant."""
    path: list[str] = []
    rest = key.split(".")
    while rest:
        lengths = range(len(rest), 1, -1)
        taken = next((length for length in lengths if ".".join(rest[:length]) in tree.mapping), 1)
        path.append(".".join(rest[:taken]))
        tree, rest = tree.child(path[-1]), rest[taken:]
    return tuple(path)


def _overlay(tree: Node, over: Node) -> Node:
    merged = merge_nodes(tree, over)
    for section in NAMED_SECTIONS:
        dropped = {name: node for name, node in over.child(section).mapping.items() if node.content is None}
        for name, node in dropped.items():
            if name not in (known := tree.child(section).mapping):
                kind = section.removesuffix("s")
                raise node.location.error(f"null drops a {kind}, and there is none of this name{suggest(name, known)}")
        merged = _without(merged, section, dropped)
    return merged


def _without(tree: Node, section: str, names: Collection[str]) -> Node:
    if not names:
        return tree
    left = {name: node for name, node in tree.child(section).mapping.items() if name not in names}
    return replace(tree, content={**tree.mapping, section: replace(tree.child(section), content=left)})
