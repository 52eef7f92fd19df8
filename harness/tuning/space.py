"""The search space of a method: what its annotations and its suite say, together and checked. Nothing here needs Optuna."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from harness.config import AlgorithmConfig
from harness.errors import UserError, suggest
from harness.planning.plan import Plan
from harness.registry import Registry
from harness.registry.hooks import Method
from harness.spec import Combination
from harness.suites.locations import KeyPath
from harness.suites.validation import Problem, ValidationFailed, combine_errors, to_suite_errors
from harness.tuning.annotations import TunableConfig, apply_changes, fields_of, present_values
from harness.tuning.parameters import Parameter, SearchSpace, Values


def search_space(plan: Plan, method: str) -> SearchSpace:
    """The search space of a method of a suite, after the suite's ``tune`` block.

    Raises:
        ValidationFailed: The block says something impossible.
        UserError: The space is empty.
    """
    spec, registry, options = plan.first_run(method), plan.registry, plan.suite.tune
    tunables: list[TunableConfig] = []
    if spec.reward is not None:
        described = registry.method(spec.reward.name)
        tunables.append(TunableConfig("config", registry.config_class(described), spec.reward.config))
        tunables.append(TunableConfig("combine", Combination, present_values(spec.reward.combine)))
    algorithm = registry.algorithm_config(spec.algorithm.name)
    tunables.append(TunableConfig("algorithm", algorithm, spec.algorithm.config))
    found, explicit = apply_changes(tunables, options.space.get(method, {}), ("tune", "space", method), algorithm.kind)
    space = _ordered_space(found, tunables, explicit, ("tune", "space", method))
    return _select_parameters(space, options.parameters, method)


def check_search_spaces(plan: Plan, methods: Iterable[str] | None = None) -> None:
    """Refuse a ``tune`` block whose search spaces are unsound.

    Args:
        plan: The plan of the suite.
        methods: The methods that are to be searched; ``None`` for none, where only what is written down for a method by
            name must be sound.

    Raises:
        SuiteError: Something in the block is impossible, or one of the methods has nothing to search.
    """
    found: list[Problem] = []
    for method in [name for name in plan.suite.methods if name in plan.suite.tune.space] if methods is None else methods:
        try:
            search_space(plan, method)
        except ValidationFailed as failure:
            found += failure.problems
        except UserError as error:
            found.append(Problem(str(error), (("tune", "space", method), ("tune",))))
    if found:
        raise combine_errors(to_suite_errors(found, plan.tree))


def method_space(method: Method, registry: Registry, algorithm_name: str = "", preset_name: str = "") -> SearchSpace:
    """The search space of an installed method.

    Args:
        method: Description of the method.
        registry: What is installed here.
        algorithm_name: Name of the algorithm; empty for the first that the method runs on.
        preset_name: Name of a preset of the method, whose values are the parameters' defaults; empty for its first.
    """
    presets = registry.presets(method)
    preset = presets[preset_name] if preset_name else next(iter(presets.values()), None)
    model = registry.config_class(method)
    algorithm = registry.algorithm_config(algorithm_name or registry.default_algorithm(method))
    config = model.model_validate(dict(preset.config) if preset else {})
    combine = Combination.model_validate(dict(preset.combine) if preset else {})
    tunables = [
        TunableConfig("config", model, present_values(config)),
        TunableConfig("combine", Combination, present_values(combine)),
        TunableConfig("algorithm", algorithm, present_values(algorithm.model_validate({}))),
    ]
    return _ordered_space(apply_changes(tunables, {}, (), algorithm.kind)[0], tunables, set(), ())


def algorithm_space(model: type[AlgorithmConfig], settings: Mapping[str, Any] | None = None) -> SearchSpace:
    """The search space of an algorithm alone, with a preset's settings, or its defaults, as the parameters' own."""
    tunable = TunableConfig("algorithm", model, present_values(model.model_validate(dict(settings or {}))))
    return _ordered_space(apply_changes([tunable], {}, (), model.kind)[0], [tunable], set(), ())


def _ordered_space(
    found: Mapping[str, Parameter], tunables: Sequence[TunableConfig], explicit: Iterable[str], path: KeyPath
) -> SearchSpace:
    """The parameters in an order in which their conditions can be evaluated, without those that can have no effect."""
    fixed = {
        name: value for tunable in tunables for name, _, value in fields_of(tunable.model, tunable.current, f"{tunable.name}.")
    }
    waiting, ordered, without_effect = dict(found), dict[str, Parameter](), list[Parameter]()
    while waiting:
        ready = [p for p in waiting.values() if p.when is None or p.when.name not in waiting]
        if not ready:
            raise ValidationFailed(Problem(f"conditions go round in a circle: {', '.join(sorted(waiting))}", (path,)))
        for parameter in ready:
            del waiting[parameter.name]
            resolved = _resolve_condition(parameter, ordered, fixed)
            if resolved is not None:
                ordered[resolved.name] = resolved
            else:
                without_effect.append(parameter)
    for parameter in without_effect:
        if parameter.name in set(explicit) and parameter.when is not None:
            values = " or ".join(map(str, parameter.when.values))
            message = f"has an effect only with {parameter.when.name} {values}, not {fixed[parameter.when.name]}"
            raise ValidationFailed(Problem(message, ((*path, *parameter.name.split(".")),)))
    return SearchSpace(tuple(ordered.values()))


def _resolve_condition(parameter: Parameter, ordered: Mapping[str, Parameter], fixed: Values) -> Parameter | None:
    """The parameter with its condition, without one where it always holds, or ``None`` where it never does."""
    if parameter.when is None:
        return parameter
    other = ordered.get(parameter.when.name)
    if other is not None:
        return parameter if other.low is not None or set(other.choices) & set(parameter.when.values) else None
    return replace(parameter, when=None) if fixed[parameter.when.name] in parameter.when.values else None


def _select_parameters(space: SearchSpace, patterns: Sequence[str] | None, method: str) -> SearchSpace:
    names = [parameter.name for parameter in space.parameters]
    for pattern in patterns or ():
        if not any(fnmatchcase(name, pattern) for name in names):
            message = f"unknown parameter {pattern!r} of method {method!r}{suggest(pattern, names)}"
            raise ValidationFailed(Problem(message, (("tune", "parameters"),)))
    kept = {name for name in names if patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)}
    if not kept:
        raise UserError(
            f"method {method!r} has nothing to search: no setting of it carries a range; give some under tune.space.{method}"
        )
    parameters = [parameter for parameter in space.parameters if parameter.name in kept]
    for parameter in parameters:
        if parameter.when is not None and parameter.when.name not in kept:
            message = f"{parameter.name} has an effect only with some {parameter.when.name}: search that too"
            raise ValidationFailed(Problem(message, (("tune", "parameters"),)))
    return SearchSpace(tuple(parameters))
