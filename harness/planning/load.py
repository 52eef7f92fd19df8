"""Loading a plan: a suite file, one of its profiles, settings of the command line, and everything that can be wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import SuiteError, shorten, suggest
from harness.planning.expand import expand
from harness.planning.plan import Plan
from harness.registry import Registry
from harness.suites.files import find_suite
from harness.suites.locations import KeyPath, Node, SourceLocation
from harness.suites.model import Suite, SuiteSection, parse_seeds
from harness.suites.overrides import apply_override, apply_profile, merge_nodes, nest_at_path, parse_override
from harness.suites.validation import SuiteErrors, ValidationFailed, combine_errors, describe_value, to_suite_errors, validate
from harness.suites.yaml import parse_yaml, read_yaml

MAX_PROFILES = 100
MAX_PROFILE_VALUES = 200_000
"""Profiles times values of the suite."""

__all__ = ["Plan", "SuiteErrors", "load", "parse_override", "parse_seeds"]


def load(
    suite: Path | str,
    *,
    profile: str | None = None,
    overrides: Iterable[tuple[str, str]] = (),
    methods: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    seeds: str | Sequence[int] | None = None,
    steps: int | str | None = None,
    registry: Registry | None = None,
) -> Plan:
    """The plan of a suite file, resolved and checked. Nothing is read from the disk but the suite.

    The profile is laid over the suite, the overrides over both; then what is not asked for is left out, and only what is
    left needs its plugins. The shape of the other profiles is checked as well.

    Args:
        suite: The YAML file; or as text, without separators of folders and without ``.yaml``, the name of a packaged suite.
        profile: Name of one of its profiles.
        overrides: Dotted keys with their values as YAML text, such as ``("algorithm.n_envs", "8")``.
        methods: Names of the methods to keep; all if none are given. The name of a reward stands for the methods that have it.
        tasks: Names of the tasks to keep; all if none are given.
        seeds: Instead of the suite's, as a list or as `parse_seeds` reads them.
        steps: Instead of the suite's and of every task's own, as a number or as YAML text.
        registry: Where names are looked up; what is installed by default.

    Raises:
        UnknownNameError: No packaged suite has the name.
        SuiteError: For one mistake; `SuiteErrors`, a subclass with one line for each, for several.
    """
    file = find_suite(suite, registry)
    written = _read(file)
    tree = _apply_options(written, profile, overrides, seeds, steps)
    read, errors = _validate_shape(tree)
    errors += _too_many_profiles(written) or _errors_in_profiles(written, skip=profile)
    if read is None:
        raise combine_errors(errors)
    errors += _unknown_search_spaces(read, tree)
    selected = _select(read, tree, {"methods": _expand_reward_names(read, methods or ()), "tasks": tasks})
    try:
        plan = expand(selected, registry, tree)
    except SuiteError as error:
        errors += error.errors if isinstance(error, SuiteErrors) else [error]
        raise combine_errors(errors) from None
    if errors:
        raise combine_errors(errors)
    return replace(plan, file=file, profile=profile)


def load_data(text: str, registry: Registry | None = None) -> Plan:
    """The plan of a suite given as YAML text; see `load`.

    Raises:
        SuiteError: Something in it is wrong.
    """
    tree = parse_yaml(text, "a resolved suite")
    suite, errors = _validate_shape(tree)
    if suite is None or errors:
        raise combine_errors(errors)
    return expand(suite, registry, tree)


def _apply_options(
    tree: Node,
    profile: str | None,
    overrides: Iterable[tuple[str, str]],
    seeds: str | Sequence[int] | None,
    steps: int | str | None,
) -> Node:
    if profile is not None:
        tree = apply_profile(tree, profile)
    for key, text in overrides:
        tree = apply_override(tree, key, text)
    if seeds is not None:
        tree = merge_nodes(tree, Node.of({"seeds": seeds}, SourceLocation(f"--seeds {shorten(str(seeds))}")))
    if steps is not None:
        node = parse_yaml(str(steps), f"--steps {shorten(str(steps))}", root=("steps",))
        for path in _step_paths(tree):
            tree = merge_nodes(tree, nest_at_path(path, node))
    return tree


def _read(file: Path) -> Node:
    tree = read_yaml(file)
    if tree.content is None:
        raise SuiteError("is empty; a suite is a mapping such as 'suite: my_suite'", file=file)
    if not isinstance(tree.content, dict):
        raise tree.location.error(f"a suite is a mapping such as 'suite: my_suite', got {describe_value(tree.to_data())}")
    return tree


def _validate_shape(tree: Node) -> tuple[Suite | None, list[SuiteError]]:
    """The suite and what is wrong with it; ``None`` where that leaves no suite to speak of."""
    try:
        return _validate(tree.to_data()), []
    except ValidationFailed as failure:
        errors = to_suite_errors(failure.problems, tree)
        unknown = [problem.paths[0] for problem in failure.problems if problem.unknown_key]
    try:
        return _validate(_without_keys(tree.to_data(), unknown)), errors
    except ValidationFailed:
        return None, errors


def _validate(data: dict[str, Any]) -> Suite:
    return validate(Suite, data, lambda path: (path,))


def _without_keys(data: dict[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    for *above, key in paths:
        block: Any = data
        for step in above:
            block = block[step]
        block.pop(key)
    return data


def _too_many_profiles(written: Node) -> list[SuiteError]:
    """Why profiles are refused together: each is laid over the suite and checked, which takes time for every value."""
    profiles = written.child("profiles")
    count, values = len(profiles.mapping), _count_values(written)
    if count > MAX_PROFILES:
        return [profiles.location.error(f"{count:,} profiles are more than {MAX_PROFILES}")]
    if count * values > MAX_PROFILE_VALUES:
        message = f"{count} profiles of a suite of this size are more than can be checked: split the suite"
        return [profiles.location.error(message)]
    return []


def _count_values(node: Node) -> int:
    children = node.content if isinstance(node.content, list) else node.mapping.values()
    return 1 + sum(map(_count_values, children))


def _errors_in_profiles(written: Node, *, skip: str | None) -> list[SuiteError]:
    """What is wrong with the shape of profiles that nobody asked for, so that a typo shows before its day comes."""
    errors: list[SuiteError] = []
    for name in written.child("profiles").mapping:
        if name != skip:
            try:
                found = _validate_shape(apply_profile(written, name))[1]
            except SuiteError as error:
                found = [error]
            errors += [error for error in found if error.key.startswith(f"profiles.{name}.")]
    return errors


def _step_paths(tree: Node) -> list[KeyPath]:
    tasks = tree.child("tasks").mapping.items()
    return [("steps",), *(("tasks", name, "steps") for name, task in tasks if "steps" in task.mapping)]


def _unknown_search_spaces(suite: Suite, tree: Node) -> list[SuiteError]:
    """Search spaces of methods that the suite does not have."""
    spaces = tree.child("tune").child("space").mapping
    unknown = [name for name in spaces if name not in suite.methods]
    return [spaces[name].location.error(f"unknown method {name!r}{suggest(name, suite.methods)}") for name in unknown]


def _expand_reward_names(suite: Suite, names: Iterable[str]) -> list[str]:
    """The names, and for one that the suite has no method of, the methods whose reward is called that."""
    found: dict[str, None] = {}
    for name in names:
        holders = [method for method, block in suite.methods.items() if block.reward == name and name not in suite.methods]
        found |= dict.fromkeys(holders or [name])
    return list(found)


def _select(suite: Suite, tree: Node, selection: Mapping[SuiteSection, Collection[str] | None]) -> Suite:
    """The suite with only the tasks and methods that were asked for."""
    for section, names in selection.items():
        known = getattr(suite, section)
        for name in names or ():
            if name not in known:
                kind = section.removesuffix("s")
                raise tree.child(section).location.error(f"unknown {kind} {shorten(name)!r}{suggest(name, known)}")
        if names:
            suite = suite.select(section, names)
    return suite
