"""The search space of a method: what its annotations and its suite say, together and checked. Nothing here needs Optuna."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from pydantic import BaseModel

from harness.errors import UserError, suggest
from harness.hooks import Method
from harness.places import KeyPath
from harness.plan import expand
from harness.problems import Problem, Refused
from harness.registry import Registry
from harness.spec import Combination
from harness.suite_model import Suite
from harness.tuning.annotations import Section, fields_of, with_changes
from harness.tuning.parameters import Parameter, Space, Values


def suite_space(suite: Suite, method: str, registry: Registry) -> Space:
    """The search space of a suite's method, after its ``tune`` block.

    Raises:
        Refused: The block says something impossible.
        UserError: The space is empty.
    """
    block = suite.methods[method]
    spec = expand(suite.model_copy(update={"methods": {method: block}}), registry)[0]
    sections = []
    if spec.reward is not None:
        described = registry.method(spec.reward.name)
        sections.append(Section("config", registry.config_class(described), spec.reward.config))
        sections.append(Section("combine", Combination, spec.reward.combine.model_dump(mode="json")))
    algorithm = registry.config_class(registry.algorithm(spec.algorithm.name))
    sections.append(Section("algorithm", algorithm, spec.algorithm.config))
    found, explicit = with_changes(sections, suite.tune.space.get(method, {}), ("tune", "space", method))
    space = _sound(found, sections, explicit, ("tune", "space", method))
    return _chosen(space, suite.tune.parameters, method)


def problems(suite: Suite, registry: Registry, *, tuned: bool = False) -> list[Problem]:
    """What is wrong with the search spaces of a suite's methods.

    Args:
        suite: The suite.
        registry: Where its methods are looked up.
        tuned: Whether all of them are to be searched; else only what is written down for one by name must be sound.
    """
    found: list[Problem] = []
    for method in suite.methods:
        if not tuned and method not in suite.tune.space:
            continue
        try:
            suite_space(suite, method, registry)
        except Refused as refused:
            found += refused.problems
        except UserError as error:
            found.append(Problem(str(error), (("tune", "space", method), ("tune",))))
    return found


def method_space(method: Method, registry: Registry) -> Space:
    """The search space of an installed method with its first preset, on the first algorithm that it runs on."""
    presets = registry.presets(method)
    preset = next(iter(presets.values()), None)
    model, algorithm = registry.config_class(method), registry.config_class(registry.algorithm(method.algorithms[0]))
    config = model.model_validate(dict(preset.config) if preset else {})
    combine = Combination.model_validate(dict(preset.combine) if preset else {})
    sections = [
        Section("config", model, config.model_dump(mode="json")),
        Section("combine", Combination, combine.model_dump(mode="json")),
        Section("algorithm", algorithm, algorithm.model_validate({}).model_dump(mode="json")),
    ]
    return _sound(with_changes(sections, {}, ())[0], sections, set(), ())


def algorithm_space(model: type[BaseModel]) -> Space:
    """The search space of an algorithm alone, at its defaults."""
    section = Section("algorithm", model, model.model_validate({}).model_dump(mode="json"))
    return _sound(with_changes([section], {}, ())[0], [section], set(), ())


def _sound(found: Mapping[str, Parameter], sections: Sequence[Section], explicit: Iterable[str], path: KeyPath) -> Space:
    """The parameters in an order in which conditions can be judged, without those that can have no effect."""
    fixed = {
        name: value for section in sections for name, _, value in fields_of(section.model, section.current, f"{section.name}.")
    }
    waiting, placed, idle = dict(found), {}, []
    while waiting:
        ready = [p for p in waiting.values() if p.when is None or p.when.name not in waiting]
        if not ready:
            raise Refused(Problem(f"conditions go round in a circle: {', '.join(sorted(waiting))}", (path,)))
        for parameter in ready:
            del waiting[parameter.name]
            settled = _settled(parameter, placed, fixed)
            if settled is not None:
                placed[settled.name] = settled
            else:
                idle.append(parameter)
    for parameter in idle:
        if parameter.name in set(explicit) and parameter.when is not None:
            values = " or ".join(map(str, parameter.when.values))
            message = f"has an effect only with {parameter.when.name} {values}, not {fixed[parameter.when.name]}"
            raise Refused(Problem(message, ((*path, *parameter.name.split(".")),)))
    return Space(tuple(placed.values()))


def _settled(parameter: Parameter, placed: Mapping[str, Parameter], fixed: Values) -> Parameter | None:
    """The parameter with its condition, without one where it always holds, or ``None`` where it never does."""
    if parameter.when is None:
        return parameter
    other = placed.get(parameter.when.name)
    if other is not None:
        return parameter if other.low is not None or set(other.choices) & set(parameter.when.values) else None
    return replace(parameter, when=None) if fixed[parameter.when.name] in parameter.when.values else None


def _chosen(space: Space, patterns: Sequence[str] | None, method: str) -> Space:
    names = [parameter.name for parameter in space.parameters]
    for pattern in patterns or ():
        if not any(fnmatchcase(name, pattern) for name in names):
            message = f"unknown parameter {pattern!r} of method {method!r}{suggest(pattern, names)}"
            raise Refused(Problem(message, (("tune", "parameters"),)))
    kept = {name for name in names if patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)}
    if not kept:
        raise UserError(
            f"method {method!r} has nothing to search: no setting of it carries a range; give some under tune.space.{method}"
        )
    parameters = [parameter for parameter in space.parameters if parameter.name in kept]
    for parameter in parameters:
        if parameter.when is not None and parameter.when.name not in kept:
            message = f"{parameter.name} has an effect only with some {parameter.when.name}: search that too"
            raise Refused(Problem(message, (("tune", "parameters"),)))
    return Space(tuple(parameters))
