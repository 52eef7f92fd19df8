"""From a suite to its runs: every setting resolved, every combination checked, one `RunSpec` for each run.

What a setting is, from weakest to strongest:

* environment: the family's defaults, the suite's ``environment``, the task's ``environment``;
* algorithm: its defaults, the preset, the suite's ``algorithm``, the method's ``algorithm``;
* method: its defaults, the preset (the first, if none is named), ``config``; likewise ``combine``.

Whether method, algorithm and environment agree on spaces (such as an algorithm for continuous actions on discrete ones)
shows only when an environment is made; whoever makes it checks that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, TypeVar

from harness.config import Config, EnvironmentConfig
from harness.errors import UnknownNameError, UserError
from harness.hooks import Preset
from harness.places import KeyPath, Node
from harness.problems import Problem, Refused, combined, located, validate
from harness.registry import Registry
from harness.registry import registry as installed
from harness.sight import observation_problems
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, RewardSpec, RunSpec
from harness.suite_model import AlgorithmBlock, Suite

TWO_CRITICS_ONLY = ("intrinsic_gamma", "episodic", "last_step")

FoundT = TypeVar("FoundT")


def expand(suite: Suite, registry: Registry | None = None) -> list[RunSpec]:
    """The runs of a suite, in the order in which they should be started.

    All tasks and methods with the first seed come before any with the second, so that a suite that is cut short leaves a
    complete comparison on fewer seeds.

    Args:
        suite: As `harness.suite.load_suite` gives it, or built in Python.
        registry: Where names are looked up; what is installed by default.

    Raises:
        SuiteError: A name, a setting or a combination is wrong. Never for what `load_suite` has returned.
    """
    parts = _resolve(suite, registry or installed())
    if parts.problems:
        raise combined(located(parts.problems, Node.of(suite.model_dump(mode="json", exclude_unset=True))))
    pairs = [(task, method) for task in suite.tasks for method in suite.methods]
    return [_run(suite, parts, task, method, seed) for seed in suite.seeds for task, method in pairs]


def check(suite: Suite, registry: Registry | None = None) -> list[Problem]:
    """What `expand` would refuse."""
    return _resolve(suite, registry or installed()).problems


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``: mappings merge, everything else replaces."""
    merged = {**base, **over}
    for key in base.keys() & over.keys():
        if isinstance(base[key], Mapping) and isinstance(over[key], Mapping):
            merged[key] = deep_merge(base[key], over[key])
    return merged


@dataclass
class _Parts:
    """What a suite's runs are put together from, by task and by method; what could not be resolved is left out."""

    environments: dict[str, EnvironmentSpec] = field(default_factory=dict)
    algorithms: dict[str, tuple[str, Config]] = field(default_factory=dict)
    rewards: dict[str, RewardSpec | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, found: dict[str, FoundT], name: str, resolve: Callable[[], FoundT]) -> None:
        try:
            found[name] = resolve()
        except Refused as refused:
            self.problems.extend(refused.problems)


def _resolve(suite: Suite, registry: Registry) -> _Parts:
    parts = _Parts()
    for task in suite.tasks:
        parts.add(parts.environments, task, partial(_environment, suite, task, registry))
    for method in suite.methods:
        parts.add(parts.algorithms, method, partial(_algorithm, suite, method, registry))
        parts.add(parts.rewards, method, partial(_reward, suite, method, registry))
        if method in parts.algorithms:
            parts.problems.extend(_disagreements(suite, method, parts, registry))
    parts.problems.extend(_short_runs(suite, parts))
    return parts


def _run(suite: Suite, parts: _Parts, task: str, method: str, seed: int) -> RunSpec:
    name, algorithm = parts.algorithms[method]
    return RunSpec(
        suite=suite.suite,
        task=task,
        method=method,
        seed=seed,
        environment=parts.environments[task],
        algorithm=AlgorithmSpec(name=name, config=algorithm.model_dump(mode="json")),
        reward=parts.rewards[method],
        steps=suite.tasks[task].steps or suite.steps,
        evaluation=suite.evaluation,
        checkpoint_every=suite.checkpoint.every or suite.evaluation.every,
        normalise=suite.tasks[task].normalise,
    )


# --------------------------------------------------------------------------------------------------------------------
# Parts of a run
# --------------------------------------------------------------------------------------------------------------------
def _environment(suite: Suite, task: str, registry: Registry) -> EnvironmentSpec:
    own, shared = suite.tasks[task].environment, suite.environment
    path = ("tasks", task, "environment")
    family = own.family or shared.family
    if family is None:
        raise Refused(Problem("missing: the environment family", (("environment", "family"),)))
    inherited = shared.settings if family == shared.family else {}
    model = _config_class(registry, registry.environment, family, ((*path, "family"), ("environment", "family")))
    settings = deep_merge(inherited, own.settings)
    named = model.task_field if issubclass(model, EnvironmentConfig) else ""
    by_task = {named: task} if named and named not in settings else {}

    def places(key: KeyPath) -> tuple[KeyPath, ...]:
        return ((*path, *key),) if key[:1] == tuple(by_task) else ((*path, *key), ("environment", *key))

    config = validate(model, {**settings, **by_task}, places, f"environment family {family!r}")
    return EnvironmentSpec(family=family, config=config.model_dump(mode="json"))


def _algorithm(suite: Suite, method: str, registry: Registry) -> tuple[str, Config]:
    own, shared = suite.methods[method].algorithm, suite.algorithm
    path = ("methods", method, "algorithm")
    name = own.name or shared.name
    if name != shared.name:
        shared = AlgorithmBlock(name=name)
    model = _config_class(registry, registry.algorithm, name, ((*path, "name"), ("algorithm", "name")))
    presets = registry.presets(registry.algorithm(name))
    places = ((*path, "preset"), ("algorithm", "preset"))
    preset = _preset(f"preset of algorithm {name!r}", presets, own.preset or shared.preset, places)
    settings = deep_merge(deep_merge(preset.config, shared.settings), own.settings)
    about = f"algorithm {name!r}{_from(preset)}"
    config = validate(model, settings, lambda key: ((*path, *key), ("algorithm", *key)), about)
    if network := getattr(config, "network", ""):
        _look_up(registry.network, network, ((*path, "network"), ("algorithm", "network")))
    return name, config


def _reward(suite: Suite, method: str, registry: Registry) -> RewardSpec | None:
    block, path = suite.methods[method], ("methods", method)
    if block.reward is None:
        return None
    model = _config_class(registry, registry.method, block.reward, ((*path, "reward"),))
    presets = registry.presets(registry.method(block.reward))
    default = next(iter(presets), None)
    preset = _preset(
        f"preset of method {block.reward!r}", presets, block.preset or default, ((*path, "preset"), (*path, "reward"))
    )
    about = f"method {block.reward!r}{_from(preset)}"
    config = validate(model, deep_merge(preset.config, block.config), lambda key: ((*path, "config", *key),), about)
    combine = validate(Combination, deep_merge(preset.combine, block.combine), lambda key: ((*path, "combine", *key),), about)
    return RewardSpec(name=block.reward, config=config.model_dump(mode="json"), combine=combine)


def _config_class(registry: Registry, find: Callable[[str], Any], name: str, paths: tuple[KeyPath, ...]) -> type[Config]:
    return _look_up(lambda known: registry.config_class(find(known)), name, paths)


def _look_up(find: Callable[[str], FoundT], name: str, paths: tuple[KeyPath, ...]) -> FoundT:
    try:
        return find(name)
    except UserError as error:  # nobody provides it, or a plugin that should is broken
        raise Refused(Problem(str(error), paths)) from None


def _preset(kind: str, presets: Mapping[str, Preset], name: str | None, paths: tuple[KeyPath, ...]) -> Preset:
    if name is None:
        return Preset(name="", source="")
    if name not in presets:
        raise Refused(Problem(str(UnknownNameError(kind, name, presets)), paths))
    return presets[name]


def _from(preset: Preset) -> str:
    return f" with preset {preset.name!r}" if preset.name else ""


# --------------------------------------------------------------------------------------------------------------------
# Combinations
# --------------------------------------------------------------------------------------------------------------------
def _disagreements(suite: Suite, method: str, parts: _Parts, registry: Registry) -> Iterator[Problem]:
    """Where the method, the algorithm and the way of combining them do not go together."""
    algorithm, config = parts.algorithms[method]
    reward, path = parts.rewards.get(method), ("methods", method)
    if reward is None:
        return
    yield from observation_problems(method, reward, parts.environments, registry)
    works_with = registry.method(reward.name).algorithms
    if algorithm not in works_with:
        message = f"method {reward.name!r} does not run on algorithm {algorithm!r}, only on: {', '.join(works_with)}"
        yield Problem(message, ((*path, "algorithm", "name"), (*path, "reward")))
    mode, modes = reward.combine.mode, sorted(getattr(type(config), "supports", {"sum"}))
    if mode not in modes:
        message = f"algorithm {algorithm!r} cannot combine rewards by {mode!r}: write 'combine: {modes[0]}'"
        yield Problem(message, ((*path, "combine", "mode"), (*path, "combine")))
    for key in TWO_CRITICS_ONLY if mode != "two_critics" else ():
        if key in suite.methods[method].combine:
            yield Problem(f"has no effect with mode {mode!r}, only with 'two_critics'", ((*path, "combine", key),))


def _short_runs(suite: Suite, parts: _Parts) -> Iterator[Problem]:
    """Runs that end before an on-policy algorithm's first update."""
    sizes = [(getattr(config, "n_envs", 1), getattr(config, "n_steps", 1)) for _, config in parts.algorithms.values()]
    n_envs, n_steps = max(sizes, key=prod, default=(1, 1))
    for name, task in suite.tasks.items():
        steps = task.steps or suite.steps
        if steps < n_envs * n_steps:
            rollout = f"one rollout of n_envs x n_steps = {n_envs} x {n_steps} = {n_envs * n_steps} steps"
            message = f"{steps} steps are fewer than {rollout}: take more steps or a smaller rollout"
            yield Problem(message, (("tasks", name, "steps"), ("steps",)))
