"""Loading a suite: a YAML file, one of its profiles, settings of the command line, and everything that can be wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import SuiteError, suggest
from harness.overrides import apply_override, apply_profile, merge, nested, parse_override
from harness.places import KeyPath, Node, Place
from harness.plan import check
from harness.problems import Refused, SuiteErrors, combined, located, show, validate
from harness.registry import Registry
from harness.registry import registry as installed
from harness.suite_model import Section, Suite, parse_seeds
from harness.tuning import space
from harness.yaml_source import parse_yaml, read_yaml

__all__ = ["Suite", "SuiteErrors", "load_suite", "parse_override", "parse_seeds"]


def load_suite(
    path: Path | str,
    *,
    profile: str | None = None,
    overrides: Iterable[tuple[str, str]] = (),
    methods: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    seeds: str | Sequence[int] | None = None,
    steps: int | str | None = None,
    registry: Registry | None = None,
    tuned: bool = False,
) -> Suite:
    """A suite that `harness.plan.expand` accepts.

    The profile is laid over the suite, the overrides over both; then what is not asked for is left out, and only what is
    left needs its plugins. The shape of the other profiles is checked as well.

    Args:
        path: The YAML file.
        profile: Name of one of its profiles.
        overrides: Dotted keys with their values as YAML text, such as ``("algorithm.n_envs", "8")``.
        methods: Names of the methods to keep; all if none are given. The name of a reward stands for the methods that have it.
        tasks: Names of the tasks to keep; all if none are given.
        seeds: Instead of the suite's, as a list or as `parse_seeds` reads them.
        steps: Instead of the suite's and of every task's own, as a number or as YAML text.
        registry: Where names are looked up; what is installed by default.
        tuned: Whether the methods that are left need something that `harness tune` can search.

    Raises:
        SuiteError: For one mistake; `SuiteErrors`, a subclass with one line for each, for several.
    """
    written = _read(Path(path))
    tree = _laid_out(written, profile, overrides, seeds, steps)
    suite, errors = _shape(tree)
    errors += _errors_in_profiles(written, but=profile)
    if suite is None:
        raise combined(errors)
    errors += _unknown_in_space(suite, tree)
    suite = _narrowed(suite, tree, {"methods": _by_reward(suite, methods or ()), "tasks": tasks})
    errors += located(check(suite, registry), tree)
    if not errors:
        errors += located(space.problems(suite, registry or installed(), tuned=tuned), tree)
    if errors:
        raise combined(errors)
    return suite


def _laid_out(
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
        tree = merge(tree, Node.of({"seeds": seeds}, Place(f"--seeds {seeds}")))
    if steps is not None:
        node = parse_yaml(str(steps), f"--steps {steps}", root=("steps",))
        for path in _places_of_steps(tree):
            tree = merge(tree, nested(path, node))
    return tree


def _read(file: Path) -> Node:
    tree = read_yaml(file)
    if tree.content is None:
        raise SuiteError("is empty; a suite is a mapping such as 'suite: my_suite'", file=file)
    if not isinstance(tree.content, dict):
        raise tree.place.error(f"a suite is a mapping such as 'suite: my_suite', got {show(tree.plain())}")
    return tree


def _shape(tree: Node) -> tuple[Suite | None, list[SuiteError]]:
    """The suite and what is wrong with it; ``None`` where that leaves no suite to speak of."""
    try:
        return _validate(tree.plain()), []
    except Refused as refused:
        errors = located(refused.problems, tree)
        unknown = [problem.paths[0] for problem in refused.problems if problem.unknown_key]
    try:
        return _validate(_pruned(tree.plain(), unknown)), errors
    except Refused:
        return None, errors


def _validate(data: dict[str, Any]) -> Suite:
    return validate(Suite, data, lambda path: (path,))


def _pruned(data: dict[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    for *above, key in paths:
        block: Any = data
        for step in above:
            block = block[step]
        block.pop(key)
    return data


def _errors_in_profiles(written: Node, *, but: str | None) -> list[SuiteError]:
    """What is wrong with the shape of profiles that nobody asked for, so that a typo shows before its day comes."""
    errors: list[SuiteError] = []
    for name in written.child("profiles").mapping:
        if name != but:
            try:
                found = _shape(apply_profile(written, name))[1]
            except SuiteError as error:
                found = [error]
            errors += [error for error in found if error.key.startswith(f"profiles.{name}.")]
    return errors


def _places_of_steps(tree: Node) -> list[KeyPath]:
    tasks = tree.child("tasks").mapping.items()
    return [("steps",), *(("tasks", name, "steps") for name, task in tasks if "steps" in task.mapping)]


def _unknown_in_space(suite: Suite, tree: Node) -> list[SuiteError]:
    """Search spaces of methods that the suite does not have."""
    spaces = tree.child("tune").child("space").mapping
    unknown = [name for name in spaces if name not in suite.methods]
    return [spaces[name].place.error(f"unknown method {name!r}{suggest(name, suite.methods)}") for name in unknown]


def _by_reward(suite: Suite, names: Iterable[str]) -> list[str]:
    """The names, and for one that the suite has no method of, the methods whose reward is called that."""
    found: dict[str, None] = {}
    for name in names:
        holders = [method for method, block in suite.methods.items() if block.reward == name and name not in suite.methods]
        found |= dict.fromkeys(holders or [name])
    return list(found)


def _narrowed(suite: Suite, tree: Node, asked: Mapping[Section, Collection[str] | None]) -> Suite:
    """The suite with only the tasks and methods that were asked for."""
    for section, names in asked.items():
        known = getattr(suite, section)
        for name in names or ():
            if name not in known:
                kind = section.removesuffix("s")
                raise tree.child(section).place.error(f"unknown {kind} {name!r}{suggest(name, known)}")
        if names:
            suite = suite.narrowed(section, names)
    return suite
