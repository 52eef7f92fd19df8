"""Where in a suite a key belongs that was written in another place."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from harness.errors import UserError
from harness.registry import Registry, installed
from harness.spec import Combination, EvaluationSpec, Normalisation
from harness.suites.locations import KeyPath, Node, dotted
from harness.suites.model import (
    AlgorithmBlock,
    CheckpointBlock,
    EnvironmentBlock,
    MethodAlgorithmBlock,
    MethodBlock,
    PhaseBlock,
    Suite,
    TaskBlock,
)
from harness.suites.tune_block import TuneBlock

_ANY = "NAME"
"""Stands for a task or method where it is not known which one is meant."""

_ALMOST = 0.85
"""How alike a key and a valid one beside it are if it is misspelt rather than misplaced."""

_COUNTS = {1: "one level", 2: "two levels", 3: "three levels"}


@dataclass(frozen=True)
class _Block:
    """A part of a suite, and the keys that it knows."""

    path: KeyPath
    keys: Collection[str]


def right_place(path: KeyPath, tree: Node, registry: Registry | None = None) -> str:
    """Where the unknown key at a path belongs, as the end of a sentence; empty if it means nothing anywhere.

    Args:
        path: Keys that lead to it.
        tree: What was written.
        registry: Where the settings of families, algorithms and methods are looked up.
    """
    *above, key = path
    blocks = list(_blocks(tuple(above), tree, registry or installed()))
    beside = {one for block in blocks if block.path == tuple(above) for one in block.keys}
    if difflib.get_close_matches(str(key), beside, n=1, cutoff=_ALMOST):
        return ""
    having = [block for block in blocks if key in block.keys and block.path != tuple(above)]
    if not having:
        return ""
    nearest = min(having, key=lambda block: _distance(tuple(above), block.path))
    return f"it belongs {_direction(tuple(above), nearest.path)}{dotted((*nearest.path, key))}"


def _distance(one: KeyPath, other: KeyPath) -> int:
    """Levels up from one block and down to the other."""
    common = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return len(one) + len(other) - 2 * len(list(common))


def _direction(here: KeyPath, there: KeyPath) -> str:
    if here[: len(there)] == there:
        return f"{_COUNTS.get(len(here) - len(there), 'further')} up, as "
    if there[:-1] == here:
        return f"under {str(there[-1])!r}, as "
    return "elsewhere, as "


def _blocks(path: KeyPath, tree: Node, registry: Registry) -> Iterator[_Block]:
    """Every part of the suite that the writer of a key may have meant; of tasks and methods the one around the key.

    Outside of methods the settings of each are looked through, since rewards differ in theirs.
    """
    inside = {str(path[0]): str(path[1])} if len(path) > 1 else {}
    task, method = inside.get("tasks", _ANY), inside.get("methods", _ANY)
    tasks, methods = tree.child("tasks"), tree.child("methods")
    family = _text(tasks.child(task).child("environment").child("family")) or _text(tree.child("environment").child("family"))
    shared = _text(tree.child("algorithm").child("name"))
    algorithm = _text(methods.child(method).child("algorithm").child("name")) or shared
    environment_settings = _settings(registry, registry.environments, family)
    yield _Block((), Suite.model_fields)
    yield _Block(("evaluation",), EvaluationSpec.model_fields)
    yield _Block(("checkpoint",), CheckpointBlock.model_fields)
    yield _Block(("algorithm",), {*AlgorithmBlock.model_fields, *_settings(registry, registry.algorithms, shared)})
    yield _Block(("environment",), {*EnvironmentBlock.model_fields, *environment_settings})
    yield _Block(("tasks", task), TaskBlock.model_fields)
    yield _Block(("tasks", task, "environment"), {*EnvironmentBlock.model_fields, *environment_settings})
    yield _Block(("tasks", task, "normalise"), Normalisation.model_fields)
    yield _Block(("methods", method), MethodBlock.model_fields)
    for name in [method] if method in methods.mapping else methods.mapping:
        reward = _text(methods.child(name).child("reward"))
        yield _Block(("methods", name, "config"), _settings(registry, registry.methods, reward))
    yield _Block(("methods", method, "combine"), Combination.model_fields)
    algorithm_settings = _settings(registry, registry.algorithms, algorithm)
    yield _Block(("methods", method, "algorithm"), {*MethodAlgorithmBlock.model_fields, *algorithm_settings})
    for phase in methods.child(method).child("phases").mapping:
        yield _Block(("methods", method, "phases", phase), PhaseBlock.model_fields)
    yield _Block(("tune",), TuneBlock.model_fields)


def _text(node: Node) -> str:
    return node.content if isinstance(node.content, str) else ""


def _settings(registry: Registry, provided: Mapping[str, Any], name: str) -> Collection[str]:
    """The settings of what is installed under a name; none if nothing is, or if it cannot be imported."""
    with suppress(UserError):
        if name in provided:
            return registry.config_class(provided[name].description).model_fields
    return ()
