"""From a suite to its runs: every setting resolved, every combination checked, one `RunSpec` for each run.

What a setting is, from weakest to strongest:

* environment: the family's defaults, the suite's ``environment``, the task's ``environment``;
* algorithm: its defaults, the preset, the suite's ``algorithm``, the method's ``algorithm``;
* method: its defaults, the preset (the first, if none is named), ``config``; likewise ``phases``, and ``combine``, whose mode
  in a preset gives way to ``sum`` on an algorithm that does not know it (`harness.agreements.preset_combination`).

Whether method, algorithm and environment agree on spaces (such as an algorithm for continuous actions on discrete ones)
shows only when an environment is made; whoever makes it checks that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import prod
from typing import Any, TypeVar

from harness.agreements import action_problems, length_problems, preset_combination
from harness.config import Config, EnvironmentConfig
from harness.errors import UnknownNameError, UserError
from harness.hooks import Preset
from harness.phases import Phases, phase_problems, phase_specs, read_phases, shared_phase, size_problems, sizes
from harness.places import KeyPath, Node
from harness.pretraining import Sharing, share, with_pretraining
from harness.problems import Problem, Refused, combined, located, validate
from harness.registry import Registry
from harness.registry import registry as installed
from harness.sight import observation_problems
from harness.snapshots import Unsuitable, find_snapshot, shaping_settings
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, RewardSpec, RunSpec, StartSpec
from harness.suite_model import AlgorithmBlock, MethodBlock, Suite

TWO_CRITICS_ONLY = ("intrinsic_gamma", "episodic", "last_step")

FoundT = TypeVar("FoundT")


def expand(suite: Suite, registry: Registry | None = None) -> list[RunSpec]:
    """The runs of a suite, in the order in which they should be started.

    All tasks and methods with the first seed come before any with the second, so that a suite that is cut short leaves a
    complete comparison on fewer seeds. Each run comes after the one that it begins from.

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
    runs = [_run(suite, parts, task, method, seed) for seed in suite.seeds for task, method in pairs]
    return with_pretraining(runs, parts.sharing, partial(_run, suite, parts))


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

    environments: dict[str, tuple[str, Config]] = field(default_factory=dict)
    algorithms: dict[str, tuple[str, Config]] = field(default_factory=dict)
    rewards: dict[str, RewardSpec | None] = field(default_factory=dict)
    phases: dict[str, Phases] = field(default_factory=dict)
    sharing: dict[str, Sharing] = field(default_factory=dict)
    starts: dict[tuple[str, str, int], StartSpec] = field(default_factory=dict)
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
        parts.add(parts.rewards, method, partial(_reward, suite, method, parts, registry))
        parts.add(parts.phases, method, partial(_phases, suite, method, registry))
        if method in parts.algorithms:
            parts.problems.extend(_disagreements(suite, method, parts, registry))
    parts.problems.extend(_short_runs(suite, parts))
    parts.problems.extend(_wrong_phases(suite, parts))
    if not parts.problems:  # what follows compares whole runs
        _resolve_sharing(suite, parts, registry)
        _resolve_snapshots(suite, parts)
    return parts


def _run(suite: Suite, parts: _Parts, task: str, method: str, seed: int) -> RunSpec:
    name, algorithm = parts.algorithms[method]
    family, environment = parts.environments[task]
    reward, steps = parts.rewards[method], _steps(suite, task)
    return RunSpec(
        suite=suite.suite,
        task=task,
        method=method,
        seed=seed,
        environment=EnvironmentSpec(family=family, config=environment.model_dump(mode="json")),
        algorithm=AlgorithmSpec(name=name, config=algorithm.model_dump(mode="json")),
        reward=reward,
        steps=steps,
        evaluation=suite.evaluation,
        checkpoint_every=suite.checkpoint.every or suite.evaluation.every,
        normalise=suite.all_tasks[task].normalise,
        phases=phase_specs(parts.phases[method], reward.combine, steps) if reward else (),
        start=parts.starts.get((task, method, seed)),
    )


# --------------------------------------------------------------------------------------------------------------------
# Parts of a run
# --------------------------------------------------------------------------------------------------------------------
def _environment(suite: Suite, task: str, registry: Registry) -> tuple[str, Config]:
    own, shared = suite.all_tasks[task].environment, suite.environment
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

    return family, validate(model, {**settings, **by_task}, places, f"environment family {family!r}")


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
    settings = {**_of_families(suite, model, registry), **settings}
    about = f"algorithm {name!r}{_from(preset)}"
    config = validate(model, settings, lambda key: ((*path, *key), ("algorithm", *key)), about)
    if network := getattr(config, "network", ""):
        _look_up(registry.network, network, ((*path, "network"), ("algorithm", "network")))
    return name, config


def _of_families(suite: Suite, model: type[Config], registry: Registry) -> dict[str, int]:
    """What the suite's environments want where nobody says otherwise; of several families, what suits all of them."""
    names = {task.environment.family or suite.environment.family for task in suite.all_tasks.values()}
    known = [registry.environments[name].description for name in names if name in registry.environments]
    wanted: frozenset[str] = getattr(model, "from_family", frozenset())
    return {key: min(getattr(family, key) for family in known) for key in wanted if known}


def _reward(suite: Suite, method: str, parts: _Parts, registry: Registry) -> RewardSpec | None:
    block, path = suite.methods[method], ("methods", method)
    if block.reward is None:
        return None
    model = _config_class(registry, registry.method, block.reward, ((*path, "reward"),))
    preset = _method_preset(block, path, registry)
    about = f"method {block.reward!r}{_from(preset)}"
    config = validate(model, deep_merge(preset.config, block.config), lambda key: ((*path, "config", *key),), about)
    supports = _modes(parts.algorithms[method][1]) if method in parts.algorithms else [Combination().mode]
    published = preset_combination(preset.combine, block.combine, supports)
    combine = validate(Combination, deep_merge(published, block.combine), lambda key: ((*path, "combine", *key),), about)
    return RewardSpec(name=block.reward, config=config.model_dump(mode="json"), combine=combine)


def _phases(suite: Suite, method: str, registry: Registry) -> Phases:
    block, path = suite.methods[method], ("methods", method)
    if block.reward is None:
        return {}
    try:
        preset = _method_preset(block, path, registry)
    except Refused:  # told where the reward is resolved
        return {}
    return read_phases(block, preset, (*path, "phases"))


def _method_preset(block: MethodBlock, path: KeyPath, registry: Registry) -> Preset:
    """The preset that a method names, or its first."""
    assert block.reward is not None
    places = ((*path, "preset"), (*path, "reward"))
    presets = registry.presets(_look_up(registry.method, block.reward, places[1:]))
    name = block.preset or next(iter(presets), None)
    return _preset(f"preset of method {block.reward!r}", presets, name, places)


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
    yield from action_problems(method, algorithm, config, parts.environments, registry)
    yield from length_problems(suite, method, config)
    reward, path = parts.rewards.get(method), ("methods", method)
    if reward is None:
        return
    yield from observation_problems(method, reward, parts.environments, registry)
    works_with = registry.method(reward.name).algorithms
    if algorithm not in works_with:
        message = f"method {reward.name!r} does not run on algorithm {algorithm!r}, only on: {', '.join(works_with)}"
        yield Problem(message, ((*path, "algorithm", "name"), (*path, "reward")))
    mode, modes = reward.combine.mode, _modes(config)
    if mode not in modes:
        message = f"algorithm {algorithm!r} cannot combine rewards by {mode!r}: write 'combine: {modes[0]}'"
        yield Problem(message, ((*path, "combine", "mode"), (*path, "combine")))
    for key in TWO_CRITICS_ONLY if mode != "two_critics" else ():
        if key in suite.methods[method].combine:
            yield Problem(f"has no effect with mode {mode!r}, only with 'two_critics'", ((*path, "combine", key),))


def _modes(config: Config) -> list[str]:
    return sorted(getattr(type(config), "supports", {"sum"}))


def _short_runs(suite: Suite, parts: _Parts) -> Iterator[Problem]:
    """Runs that end before an on-policy algorithm's first update."""
    configs = [config for _, config in parts.algorithms.values() if hasattr(config, "n_steps")]
    sizes = [(getattr(config, "n_envs", 1), getattr(config, "n_steps", 1)) for config in configs]
    n_envs, n_steps = max(sizes, key=prod, default=(1, 1))
    for name in suite.tasks:
        if (steps := _steps(suite, name)) < n_envs * n_steps:
            rollout = f"one rollout of n_envs x n_steps = {n_envs} x {n_steps} = {n_envs * n_steps} steps"
            message = f"{steps} steps are fewer than {rollout}: take more steps or a smaller rollout"
            yield Problem(message, (("tasks", name, "steps"), ("steps",)))


def _wrong_phases(suite: Suite, parts: _Parts) -> Iterator[Problem]:
    for method, phases in parts.phases.items():
        reward, algorithm, path = parts.rewards.get(method), parts.algorithms.get(method), ("methods", method, "phases")
        if reward is None or algorithm is None or not phases:
            continue
        starts = suite.methods[method].snapshot is not None
        problems = [*phase_problems(phases, path, combine=reward.combine, algorithm=algorithm, starts=starts)]
        yield from problems
        for task in () if problems else suite.tasks:
            yield from size_problems(phases, path, task=task, steps=_steps(suite, task), iteration=_iteration(algorithm[1]))


def _iteration(config: Config) -> int:
    """Steps between two iterations, over all environments."""
    rollout = getattr(config, "n_envs", 1) * getattr(config, "n_steps", 1)
    return getattr(config, "steps_per_iteration", rollout)


def _steps(suite: Suite, task: str) -> int:
    return suite.all_tasks[task].steps or suite.steps


# --------------------------------------------------------------------------------------------------------------------
# Runs that begin from others
# --------------------------------------------------------------------------------------------------------------------
def _resolve_sharing(suite: Suite, parts: _Parts, registry: Registry) -> None:
    """Which tasks share their first phase, for each method that says so; of all tasks, whichever were asked for."""
    sharing = {method: key for method, phases in parts.phases.items() if (key := shared_phase(phases))}
    for task in suite.all_tasks.keys() - suite.tasks.keys() if sharing else ():
        parts.add(parts.environments, task, partial(_environment, suite, task, registry))
    environments = {task: parts.environments[task] for task in suite.all_tasks if task in parts.environments}
    for method, key in sharing.items():
        phases = parts.phases[method]
        path = ("methods", method, "phases", next(iter(phases)), "once_per")
        lengths = {task: sizes(phases, _steps(suite, task))[0] for task in environments}
        parts.add(parts.sharing, method, partial(share, environments, key, lengths, path))


def _resolve_snapshots(suite: Suite, parts: _Parts) -> None:
    for method, block in suite.methods.items():
        for task, seed in product(suite.tasks, suite.seeds) if block.snapshot else ():
            assert block.snapshot is not None
            spec, environment = _run(suite, parts, task, method, seed), parts.environments[task][1]
            try:
                parts.starts[task, method, seed] = find_snapshot(
                    block.snapshot,
                    spec,
                    task_field=getattr(environment, "task_field", ""),
                    shaping=shaping_settings(parts.algorithms[method][1]),
                )
            except Unsuitable as error:
                parts.problems.append(Problem(str(error), (("methods", method, "snapshot"),)))
