"""From a suite to its runs: every setting resolved, every combination checked, one `RunSpec` for each run.

What a setting is, from weakest to strongest:

* environment: the family's defaults, the suite's ``environment``, the task's ``environment``;
* algorithm: its defaults, the preset, the suite's ``algorithm``, the method's ``algorithm``;
* method: its defaults, the preset (the first, if none is named), ``config``; likewise ``phases``, and ``combine``, whose mode
  in a preset gives way to ``sum`` on an algorithm that does not know it (`harness.planning.compatibility.adapt_combination`).

Whether method, algorithm and environment agree on spaces (such as an algorithm for continuous actions on discrete ones)
shows only when an environment is made; whoever makes it checks that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from harness.config import AlgorithmConfig, Config, EnvironmentConfig
from harness.errors import UnknownNameError, UserError
from harness.planning.compatibility import (
    action_problems,
    adapt_combination,
    kind_problems,
    observation_problems,
    run_length_problems,
)
from harness.planning.phases import (
    PhaseBlocks,
    phase_length_problems,
    phase_lengths,
    phase_problems,
    phase_specs,
    resolve_phases,
    shared_phase_key,
)
from harness.planning.plan import Plan
from harness.planning.pretraining import TaskGroups, group_tasks, with_pretraining
from harness.planning.sources import Layer, ResolvedBlock
from harness.registry import Registry, installed
from harness.registry.hooks import Preset
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, RewardSpec, RunSpec
from harness.suites.locations import KeyPath, Node
from harness.suites.model import AlgorithmBlock, MethodBlock, Suite
from harness.suites.validation import Problem, ValidationFailed, combine_errors, to_suite_errors, validate

TWO_CRITICS_ONLY = ("intrinsic_gamma", "episodic", "last_step")

FoundT = TypeVar("FoundT")


def expand(suite: Suite, registry: Registry | None = None, tree: Node | None = None) -> Plan:
    """The plan of a suite.

    All tasks and methods with the first seed come before any with the second, so that a suite that is cut short leaves a
    complete comparison on fewer seeds. Each run comes after the one that it begins from. No disk is touched: where a method
    begins from a ``snapshot``, its runs begin from nothing until `harness.planning.snapshots.resolve_snapshots`.

    Args:
        suite: The suite, read from a file or built in Python.
        registry: Where names are looked up; what is installed by default.
        tree: What was written, for the places that errors name; the suite itself if it was built in Python.

    Raises:
        SuiteError: A name, a setting or a combination is wrong.
    """
    tree = tree or Node.of(suite.model_dump(mode="json", exclude_unset=True))
    registry = registry or installed()
    resolved = _resolve(suite, registry)
    if resolved.problems:
        raise combine_errors(to_suite_errors(resolved.problems, tree))
    pairs = [(task, method) for task in suite.tasks for method in suite.methods]
    runs = [_run_spec(suite, resolved, task, method, seed) for seed in suite.seeds for task, method in pairs]
    runs = with_pretraining(runs, resolved.task_groups, partial(_run_spec, suite, resolved))
    return Plan(suite, tuple(runs), registry, tree, tuple(resolved.blocks))


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``: mappings merge, everything else replaces."""
    merged = {**base, **over}
    for key in base.keys() & over.keys():
        if isinstance(base[key], Mapping) and isinstance(over[key], Mapping):
            merged[key] = deep_merge(base[key], over[key])
    return merged


@dataclass
class _ResolvedSuite:
    """What a suite's runs are put together from, by task and by method; what could not be resolved is left out."""

    environments: dict[str, tuple[str, Config]] = field(default_factory=dict)
    algorithms: dict[str, tuple[str, AlgorithmConfig]] = field(default_factory=dict)
    rewards: dict[str, RewardSpec | None] = field(default_factory=dict)
    phases: dict[str, PhaseBlocks] = field(default_factory=dict)
    task_groups: dict[str, TaskGroups] = field(default_factory=dict)
    blocks: list[ResolvedBlock] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, found: dict[str, FoundT], name: str, resolve: Callable[[], FoundT]) -> None:
        try:
            found[name] = resolve()
        except ValidationFailed as failure:
            self.problems.extend(failure.problems)


def _resolve(suite: Suite, registry: Registry) -> _ResolvedSuite:
    resolved = _ResolvedSuite()
    for task in suite.tasks:
        resolved.add(resolved.environments, task, partial(_resolve_environment, suite, task, resolved, registry))
    for method in suite.methods:
        resolved.add(resolved.algorithms, method, partial(_resolve_algorithm, suite, method, resolved, registry))
        resolved.add(resolved.rewards, method, partial(_resolve_reward, suite, method, resolved, registry))
        resolved.add(resolved.phases, method, partial(_resolve_phases, suite, method, resolved, registry))
        if method in resolved.algorithms:
            resolved.problems.extend(_incompatibilities(suite, method, resolved, registry))
    resolved.problems.extend(_short_run_problems(suite, resolved))
    resolved.problems.extend(_all_phase_problems(suite, resolved))
    if not resolved.problems:  # what follows compares whole runs
        _resolve_task_groups(suite, resolved, registry)
    return resolved


def _run_spec(suite: Suite, resolved: _ResolvedSuite, task: str, method: str, seed: int) -> RunSpec:
    name, algorithm = resolved.algorithms[method]
    family, environment = resolved.environments[task]
    reward, steps = resolved.rewards[method], _steps_of_task(suite, task)
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
        phases=phase_specs(resolved.phases[method], reward.combine, steps) if reward else (),
    )


# --------------------------------------------------------------------------------------------------------------------
# Parts of a run
# --------------------------------------------------------------------------------------------------------------------
def _resolve_environment(suite: Suite, task: str, resolved: _ResolvedSuite, registry: Registry) -> tuple[str, Config]:
    own, shared = suite.all_tasks[task].environment, suite.environment
    path = ("tasks", task, "environment")
    family = own.family or shared.family
    if family is None:
        raise ValidationFailed(Problem("missing: the environment family", (("environment", "family"),)))
    inherited = shared.settings if family == shared.family else {}
    model = _config_class(registry, registry.environment, family, ((*path, "family"), ("environment", "family")))
    settings = deep_merge(inherited, own.settings)
    named = model.task_field if issubclass(model, EnvironmentConfig) else ""
    by_task = {named: task} if named and named not in settings else {}

    def source_paths(key: KeyPath) -> tuple[KeyPath, ...]:
        return ((*path, *key),) if key[:1] == tuple(by_task) else ((*path, *key), ("environment", *key))

    config = validate(model, {**settings, **by_task}, source_paths, f"environment family {family!r}")
    resolved.blocks.append(
        ResolvedBlock(
            path=path,
            values=config.model_dump(mode="json"),
            layers=[Layer("task name", "name of the task", by_task)],
            default=f"default of environment family {family!r}",
            inherited=("environment",) if family == shared.family else None,
        )
    )
    return family, config


def _resolve_algorithm(suite: Suite, method: str, resolved: _ResolvedSuite, registry: Registry) -> tuple[str, AlgorithmConfig]:
    own, shared = suite.methods[method].algorithm, suite.algorithm
    path = ("methods", method, "algorithm")
    name = own.name or shared.name
    if name != shared.name:
        shared = AlgorithmBlock(name=name)
    model = _look_up(registry.algorithm_config, name, ((*path, "name"), ("algorithm", "name")))
    presets = registry.presets(registry.algorithm(name))
    source_paths = ((*path, "preset"), ("algorithm", "preset"))
    preset = _find_preset(f"preset of algorithm {name!r}", presets, own.preset or shared.preset, source_paths)
    settings = deep_merge(deep_merge(preset.config, shared.settings), own.settings)
    family_defaults = _family_defaults(suite, model, registry)
    settings = {**family_defaults, **settings}
    about = f"algorithm {name!r}{_preset_phrase(preset)}"
    config = validate(model, settings, lambda key: ((*path, *key), ("algorithm", *key)), about)
    if config.network_name:
        _look_up(registry.network, config.network_name, ((*path, "network"), ("algorithm", "network")))
    resolved.blocks.append(
        ResolvedBlock(
            path=path,
            values=config.model_dump(mode="json"),
            layers=[
                _preset_layer(preset, preset.config, f"algorithm {name!r}"),
                Layer("family default", "default of the environment family", family_defaults),
            ],
            default=f"default of algorithm {name!r}",
            inherited=("algorithm",) if name == suite.algorithm.name else None,
        )
    )
    return name, config


def _family_defaults(suite: Suite, model: type[AlgorithmConfig], registry: Registry) -> dict[str, int]:
    """What the suite's environments want where nobody says otherwise; of several families, what suits all of them."""
    names = {task.environment.family or suite.environment.family for task in suite.all_tasks.values()}
    known = [registry.environments[name].description for name in names if name in registry.environments]
    return {key: min(getattr(family, key) for family in known) for key in model.family_defaults if known}


def _resolve_reward(suite: Suite, method: str, resolved: _ResolvedSuite, registry: Registry) -> RewardSpec | None:
    block, path = suite.methods[method], ("methods", method)
    if block.reward is None:
        return None
    model = _config_class(registry, registry.method, block.reward, ((*path, "reward"),))
    preset = _resolve_method_preset(block, path, registry)
    about = f"method {block.reward!r}{_preset_phrase(preset)}"
    config = validate(model, deep_merge(preset.config, block.config), lambda key: ((*path, "config", *key),), about)
    modes = sorted(resolved.algorithms[method][1].combine_modes) if method in resolved.algorithms else [Combination().mode]
    published = adapt_combination(preset.combine, block.combine, modes)
    combine = validate(Combination, deep_merge(published, block.combine), lambda key: ((*path, "combine", *key),), about)
    owner, default = f"method {block.reward!r}", f"default of method {block.reward!r}"
    resolved.blocks += [
        ResolvedBlock(
            (*path, "config"), config.model_dump(mode="json"), [_preset_layer(preset, preset.config, owner)], default
        ),
        ResolvedBlock(
            (*path, "combine"),
            combine.model_dump(mode="json"),
            [_preset_layer(preset, published, owner)],
            "default of the harness",
            scalar_key="mode",
        ),
    ]
    return RewardSpec(name=block.reward, config=config.model_dump(mode="json"), combine=combine)


def _resolve_phases(suite: Suite, method: str, resolved: _ResolvedSuite, registry: Registry) -> PhaseBlocks:
    block, path = suite.methods[method], ("methods", method)
    if block.reward is None:
        return {}
    try:
        preset = _resolve_method_preset(block, path, registry)
    except ValidationFailed:  # told where the reward is resolved
        return {}
    phases = resolve_phases(block, preset, (*path, "phases"))
    values = {name: phase.model_dump(mode="json") for name, phase in phases.items()}
    layers = [_preset_layer(preset, preset.phases, f"method {block.reward!r}")]
    resolved.blocks.append(ResolvedBlock((*path, "phases"), values, layers, "default of a phase"))
    return phases


def _resolve_method_preset(block: MethodBlock, path: KeyPath, registry: Registry) -> Preset:
    """The preset that a method names, or its first."""
    assert block.reward is not None
    source_paths = ((*path, "preset"), (*path, "reward"))
    presets = registry.presets(_look_up(registry.method, block.reward, source_paths[1:]))
    name = block.preset or next(iter(presets), None)
    return _find_preset(f"preset of method {block.reward!r}", presets, name, source_paths)


def _config_class(registry: Registry, find: Callable[[str], Any], name: str, paths: tuple[KeyPath, ...]) -> type[Config]:
    return _look_up(lambda known: registry.config_class(find(known)), name, paths)


def _look_up(find: Callable[[str], FoundT], name: str, paths: tuple[KeyPath, ...]) -> FoundT:
    try:
        return find(name)
    except UserError as error:  # nobody provides it, or a plugin that should is broken
        raise ValidationFailed(Problem(str(error), paths)) from None


def _find_preset(kind: str, presets: Mapping[str, Preset], name: str | None, paths: tuple[KeyPath, ...]) -> Preset:
    if name is None:
        return Preset(name="", source="")
    if name not in presets:
        raise ValidationFailed(Problem(str(UnknownNameError(kind, name, presets)), paths))
    return presets[name]


def _preset_layer(preset: Preset, values: Mapping[str, Any], owner: str) -> Layer:
    return Layer("preset", f"preset {preset.name!r} of {owner}", values if preset.name else {})


def _preset_phrase(preset: Preset) -> str:
    return f" with preset {preset.name!r}" if preset.name else ""


# --------------------------------------------------------------------------------------------------------------------
# Combinations
# --------------------------------------------------------------------------------------------------------------------
def _incompatibilities(suite: Suite, method: str, resolved: _ResolvedSuite, registry: Registry) -> Iterator[Problem]:
    """Where the method, the algorithm and the way of combining them do not go together."""
    algorithm, config = resolved.algorithms[method]
    reward, path = resolved.rewards.get(method), ("methods", method)
    described = registry.method(reward.name) if reward else None
    yield from action_problems(method, described, algorithm, config, resolved.environments, registry)
    yield from run_length_problems(suite, method, config)
    if reward is None or described is None:
        return
    yield from observation_problems(method, reward, resolved.environments, registry)
    yield from kind_problems(method, described, algorithm, config, resolved.environments, registry)
    mode, modes = reward.combine.mode, sorted(config.combine_modes)
    if mode not in modes:
        message = f"algorithm {algorithm!r} cannot combine rewards by {mode!r}: write 'combine: {modes[0]}'"
        yield Problem(message, ((*path, "combine", "mode"), (*path, "combine")))
    for key in TWO_CRITICS_ONLY if mode != "two_critics" else ():
        if key in suite.methods[method].combine:
            yield Problem(f"has no effect with mode {mode!r}, only with 'two_critics'", ((*path, "combine", key),))


def _short_run_problems(suite: Suite, resolved: _ResolvedSuite) -> Iterator[Problem]:
    """Runs that end before an on-policy algorithm's first update."""
    configs = [config for _, config in resolved.algorithms.values() if config.kind == "on_policy"]
    longest = max(configs, key=lambda config: config.steps_per_iteration, default=None)
    for name in suite.tasks if longest else ():
        steps, least = _steps_of_task(suite, name), longest.steps_per_iteration
        if steps < least:
            rollout = f"one rollout of n_envs x n_steps = {longest.n_envs} x {least // longest.n_envs} = {least} steps"
            message = f"{steps} steps are fewer than {rollout}: take more steps or a smaller rollout"
            yield Problem(message, (("tasks", name, "steps"), ("steps",)))


def _all_phase_problems(suite: Suite, resolved: _ResolvedSuite) -> Iterator[Problem]:
    for method, phases in resolved.phases.items():
        reward, algorithm, path = resolved.rewards.get(method), resolved.algorithms.get(method), ("methods", method, "phases")
        if reward is None or algorithm is None or not phases:
            continue
        starts = suite.methods[method].snapshot is not None
        problems = [*phase_problems(phases, path, combine=reward.combine, algorithm=algorithm, from_snapshot=starts)]
        yield from problems
        for task in () if problems else suite.tasks:
            yield from phase_length_problems(
                phases, path, task=task, steps=_steps_of_task(suite, task), iteration=algorithm[1].steps_per_iteration
            )


def _steps_of_task(suite: Suite, task: str) -> int:
    return suite.all_tasks[task].steps or suite.steps


# --------------------------------------------------------------------------------------------------------------------
# Runs that begin from others
# --------------------------------------------------------------------------------------------------------------------
def _resolve_task_groups(suite: Suite, resolved: _ResolvedSuite, registry: Registry) -> None:
    """Which tasks share their first phase, for each method that says so; of all tasks, whichever were asked for."""
    group_keys = {method: key for method, phases in resolved.phases.items() if (key := shared_phase_key(phases))}
    for task in suite.all_tasks.keys() - suite.tasks.keys() if group_keys else ():
        resolved.add(resolved.environments, task, partial(_resolve_environment, suite, task, resolved, registry))
    environments = {task: resolved.environments[task] for task in suite.all_tasks if task in resolved.environments}
    for method, key in group_keys.items():
        phases = resolved.phases[method]
        path = ("methods", method, "phases", next(iter(phases)), "once_per")
        lengths = {task: phase_lengths(phases, _steps_of_task(suite, task))[0] for task in environments}
        resolved.add(resolved.task_groups, method, partial(group_tasks, environments, key, lengths, path))
