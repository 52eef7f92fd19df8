"""Whether method, algorithm and tasks go together, as far as it is known before any environment is made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from harness.config import KIND_AXES, AlgorithmConfig, Config, EnvironmentConfig, IntrinsicRewardConfig, missing_kinds
from harness.registry import Registry
from harness.registry.hooks import Method
from harness.registry.mixtures import member_configs
from harness.spec import Combination, Precision, RewardSpec
from harness.suites.locations import KeyPath
from harness.suites.model import Suite
from harness.suites.validation import Problem

Environments = Mapping[str, tuple[str, Config]]
"""By task, its family and configuration."""

SUM_ONLY = frozenset({"clip_total", "decay"})
"""Settings of a combination that a sum alone may have."""

_IN_ORDER = "for its bonus or its learning needs steps in the order of time, which batches from a replay buffer have lost"
"""Why a method works with on-policy learners alone."""

CHOICES = "; what can be built: "
"""What comes before other choices of a setting, where a method cannot be built on a task."""


def adapt_combination(preset: Mapping[str, Any], written: Mapping[str, Any], modes: Collection[str]) -> Mapping[str, Any]:
    """A preset's ``combine`` for an algorithm that may not know its mode.

    Presets are published with a mode. Where the suite names none and the algorithm does not know the preset's, rewards are
    summed; the extrinsic reward keeps its scale, so that runs with and without a bonus differ in nothing else, and the bonus
    keeps its weight relative to it. What goes with two critics only is left out; so is what goes with a sum only where the
    suite asks for two critics.

    Args:
        preset: The preset's values.
        written: The suite's own, which go over them.
        modes: The modes that the algorithm knows.
    """
    mode = preset.get("mode", Combination().mode)
    if written.get("mode") == "two_critics":
        preset = {key: value for key, value in preset.items() if key not in SUM_ONLY}
    if "mode" in written or mode in modes or "sum" not in modes:
        return preset
    summed = Combination.model_validate({**preset, "mode": "sum"})
    extrinsic, intrinsic = summed.extrinsic_weight, summed.intrinsic_weight
    weights = (1.0, intrinsic / extrinsic) if extrinsic else (extrinsic, intrinsic)
    return {"mode": "sum", "extrinsic_weight": weights[0], "intrinsic_weight": weights[1]}


def resolve_normaliser_start(combine: Combination, config: Config) -> Combination:
    """What ``normaliser_start`` is where it has no effect: the value that leaves no trace in a run's digest.

    Args:
        combine: As the suite and the preset have it.
        config: The method's configuration.
    """
    normalised = isinstance(config, IntrinsicRewardConfig) and config.normalises_bonus
    if combine.mode == "sum" and normalised:
        return combine
    return combine.model_copy(update={"normaliser_start": "prior"})


def view_problems(changed: Mapping[str, Any], path: KeyPath, family: str, model: type[Config]) -> list[Problem]:
    """Settings of the environment that a method changes and may not, since they change the task or its scores.

    Args:
        changed: What the method changes.
        path: The key path at which it does.
        family: Name of the environment family.
        model: The family's configuration.
    """
    allowed = model.learner_fields if issubclass(model, EnvironmentConfig) else frozenset[str]()
    rule = f"a method may change only what its learner sees of environment family {family!r}: {', '.join(sorted(allowed))}"
    return [Problem(f"{key!r} is the same for all methods; {rule}", ((*path, key),)) for key in changed if key not in allowed]


def kind_problems(
    method: str, reward: Method, algorithm: str, config: AlgorithmConfig, environments: Environments, registry: Registry
) -> Iterator[Problem]:
    """Kinds of learner and of actions that a method needs, and that the algorithm or the tasks are not.

    Args:
        method: Its key in the suite.
        reward: Description of the method.
        algorithm: Name of the algorithm.
        config: The algorithm's configuration.
        environments: Families and settings of the tasks.
        registry: Finds other algorithms.
    """
    missing = [" or ".join(sorted(kinds)) for kinds in missing_kinds(reward.works_with, config.kinds())]
    if missing:
        others = registry.algorithms_for(reward)
        remedy = f"use {' or '.join(others)}" if others else "no installed algorithm is that"
        what = ", ".join(sorted(config.kinds()))
        needs = f"method {reward.name!r} needs a learner of kind {' and '.join(missing)}"
        reason = f", {_IN_ORDER}" if "on_policy" in missing else ""
        message = f"{needs}{reason}; algorithm {algorithm!r} is of kinds {what}: {remedy}"
        yield Problem(message, (("methods", method, "algorithm", "name"), ("methods", method, "reward")))
    wrong = _tasks_without(reward.works_with, environments)
    if wrong:
        actions = " or ".join(sorted(KIND_AXES["actions"] & reward.works_with))
        message = f"method {reward.name!r} needs {actions} actions, which these tasks do not have: {_name_tasks(wrong)}"
        yield Problem(f"{message}; leave them out", (("methods", method, "reward"),))


def action_problems(
    method: str,
    reward: Method | None,
    algorithm: str,
    config: AlgorithmConfig,
    environments: Environments,
    registry: Registry,
) -> Iterator[Problem]:
    """Tasks whose actions are not what the algorithm learns; see `kind_problems` for the arguments."""
    wrong = _tasks_without(config.actions, environments)
    if wrong:
        kinds = {_action_kind(environments[task][1]) for task in wrong}
        known = registry.algorithms if reward is None else registry.algorithms_for(reward)
        others = [name for name in known if kinds <= registry.algorithm_config(name).actions]
        remedy = f"use {' or '.join(others)} there" if others else "leave them out"
        needs = f"algorithm {algorithm!r} needs {' or '.join(sorted(config.actions))} actions"
        message = f"{needs}, which these tasks do not have: {_name_tasks(wrong)}; {remedy}"
        yield Problem(message, (("methods", method, "algorithm", "name"), ("algorithm", "name")))


def observation_problems(method: str, reward: RewardSpec, environments: Environments, registry: Registry) -> Iterator[Problem]:
    """Tasks whose observations are not what the method's settings are for.

    Args:
        method: Its key in the suite.
        reward: What it resolved to.
        environments: Families and settings of the tasks.
        registry: Finds the method's configuration.
    """
    whole = registry.config_class(registry.method(reward.name)).model_validate(reward.config)
    for place, config in member_configs(whole).items():
        required_observations = config.required_observations if isinstance(config, IntrinsicRewardConfig) else None
        if required_observations is None:
            continue
        wanted, key = required_observations
        mismatched = {
            task: family
            for task, (family, settings) in environments.items()
            if _observation_kind(settings) not in (None, wanted)
        }
        if mismatched:
            requirement = f"{key} {getattr(config, key)!r} of method {(*place, reward.name)[0]!r} needs {wanted}"
            shown = f"which these tasks do not show: {_name_tasks(mismatched)}"
            message = f"{requirement}, {shown}; choose another {key}, or leave them out"
            yield Problem(message, (("methods", method, "config", *place, key), ("methods", method, "reward")))


def precision_problems(method: str, algorithm: str, config: AlgorithmConfig, precision: Precision) -> Iterator[Problem]:
    """A format of the policy's networks that the algorithm does not offer; see `kind_problems` for the arguments."""
    if precision.policy not in config.precisions:
        message = f"algorithm {algorithm!r} does not run its networks in {precision.policy}"
        remedy = f"write precision: {{policy: float32, bonus: {precision.bonus}}}"
        above = ("methods", method, "precision"), ("precision",)
        yield Problem(f"{message}: {remedy}", tuple(place for path in above for place in ((*path, "policy"), path)))


def run_length_problems(suite: Suite, method: str, config: AlgorithmConfig) -> Iterator[Problem]:
    """Runs that end before anything is learned or logged."""
    shortest = min(suite.tasks.values(), key=lambda task: task.steps or suite.steps).steps or suite.steps
    for key, least in config.least_steps.items():
        if shortest < least:
            message = f"{dict(config)[key]} leaves nothing of runs of {shortest} steps: take more steps or a smaller {key}"
            paths = (("methods", method, "algorithm", key), ("algorithm", key), ("methods", method, "algorithm"), ("steps",))
            yield Problem(message, paths)


def _tasks_without(actions: Collection[str], environments: Environments) -> dict[str, str]:
    """Tasks whose actions are known to be of none of these kinds, with their families; of any kind if none is named."""
    wanted = KIND_AXES["actions"] & frozenset(actions)
    known = {task: (family, _action_kind(settings)) for task, (family, settings) in environments.items()}
    return {task: family for task, (family, kind) in known.items() if wanted and kind is not None and kind not in wanted}


def _name_tasks(families: Mapping[str, str]) -> str:
    return ", ".join(f"{task!r} (family {family!r})" for task, family in families.items())


def _action_kind(config: Config) -> str | None:
    return config.actions if isinstance(config, EnvironmentConfig) else None


def _observation_kind(config: Config) -> str | None:
    return config.observations if isinstance(config, EnvironmentConfig) else None
