"""The settings of a suite's environments, algorithms and methods, resolved one by one.

What a setting is, from weakest to strongest:

* environment: the family's defaults, the suite's ``environment``, the task's ``environment``, and what a method changes for
  its learner (`harness.planning.per_method`);
* algorithm: its defaults, the preset, the suite's ``algorithm``, the method's ``algorithm``;
* method: its defaults, the preset (the first, if none is named), ``config``; likewise ``phases``, and ``combine``, whose mode
  in a preset gives way to ``sum`` on an algorithm that does not know it (`harness.planning.compatibility.adapt_combination`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.config import AlgorithmConfig, Config, EnvironmentConfig
from harness.errors import UnknownNameError, UserError
from harness.planning.compatibility import adapt_combination, resolve_normaliser_start, view_problems
from harness.planning.phases import PhaseBlocks, resolve_phases
from harness.planning.pretraining import TaskGroups
from harness.planning.sources import Layer, ResolvedBlock
from harness.registry import Registry
from harness.registry.hooks import Preset
from harness.spec import Combination, Normalisation, Precision, RewardSpec
from harness.suites.locations import KeyPath
from harness.suites.model import AlgorithmBlock, MethodBlock, Suite
from harness.suites.validation import Problem, ValidationFailed, validate

FoundT = TypeVar("FoundT")


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``: mappings merge, everything else replaces."""
    merged = {**base, **over}
    for key in base.keys() & over.keys():
        if isinstance(base[key], Mapping) and isinstance(over[key], Mapping):
            merged[key] = deep_merge(base[key], over[key])
    return merged


@dataclass
class ResolvedSuite:
    """What a suite's runs are put together from, by task and by method; what could not be resolved is left out.

    Attributes:
        environments: Family and configuration, by task.
        normalisations: Constants that normalise scores, by task; ``None`` where there are none.
        algorithms: Name and configuration, by method.
        rewards: Rewards by method; ``None`` for one without a bonus.
        precisions: Formats of the networks, by method.
        views: Family and configuration of a task as one method's learner sees it, by task and method, if that differs.
        tailored: The reward of a method on one task, by task and method, if it differs between tasks.
        phases: Phases of each method, by its name.
        task_groups: Tasks that share their first phase, by method.
        blocks: Settings with the layers that gave them.
        problems: Every mistake that was found.
    """

    environments: dict[str, tuple[str, Config]] = field(default_factory=dict[str, tuple[str, Config]])
    normalisations: dict[str, Normalisation | None] = field(default_factory=dict[str, Normalisation | None])
    algorithms: dict[str, tuple[str, AlgorithmConfig]] = field(default_factory=dict[str, tuple[str, AlgorithmConfig]])
    rewards: dict[str, RewardSpec | None] = field(default_factory=dict[str, RewardSpec | None])
    precisions: dict[str, Precision] = field(default_factory=dict[str, Precision])
    views: dict[tuple[str, str], tuple[str, Config]] = field(default_factory=dict[tuple[str, str], tuple[str, Config]])
    tailored: dict[tuple[str, str], RewardSpec] = field(default_factory=dict[tuple[str, str], RewardSpec])
    phases: dict[str, PhaseBlocks] = field(default_factory=dict[str, PhaseBlocks])
    task_groups: dict[str, TaskGroups] = field(default_factory=dict[str, TaskGroups])
    blocks: list[ResolvedBlock] = field(default_factory=list[ResolvedBlock])
    problems: list[Problem] = field(default_factory=list[Problem])

    def add(self, found: dict[str, FoundT], name: str, resolve: Callable[[], FoundT]) -> None:
        """Keep what ``resolve`` finds under a name, or the problems that it raises."""
        with self.collecting():
            found[name] = resolve()

    @contextmanager
    def collecting(self) -> Generator[None]:
        """Keep the problems that are raised in this block, each once."""
        try:
            yield
        except ValidationFailed as failure:
            self.problems = list(dict.fromkeys([*self.problems, *failure.problems]))

    def environments_of(self, method: str) -> dict[str, tuple[str, Config]]:
        """Family and configuration of every task as a method's learner sees it."""
        return {task: self.environment_of(task, method) for task in self.environments}

    def environment_of(self, task: str, method: str) -> tuple[str, Config]:
        """Family and configuration of one task as a method's learner sees it."""
        return self.views.get((task, method)) or self.environments[task]

    def reward_on(self, task: str, method: str) -> RewardSpec | None:
        """The reward of a method on one task."""
        return self.tailored.get((task, method), self.rewards[method])


def resolve_environment(suite: Suite, task: str, resolved: ResolvedSuite, registry: Registry) -> tuple[str, Config]:
    """The environment family of a task, and its configuration.

    Raises:
        ValidationFailed: With every setting that is wrong; the other functions here raise likewise.
    """
    family, config, by_task = configure_environment(suite, task, registry)
    resolved.blocks.append(
        ResolvedBlock(
            path=("tasks", task, "environment"),
            values=config.model_dump(mode="json"),
            layers=[Layer("task name", "name of the task", by_task)],
            default=f"default of environment family {family!r}",
            inherited=("environment",) if family == suite.environment.family else None,
        )
    )
    return family, config


def configure_environment(
    suite: Suite, task: str, registry: Registry, method: str | None = None
) -> tuple[str, Config, Mapping[str, str]]:
    """The environment family of a task, its configuration, and what the task's name says in it.

    Args:
        suite: The suite to be resolved.
        task: Name of the task.
        registry: Finds the family.
        method: Name of the method whose learner sees the task; ``None`` for the task as it is for all.
    """
    own, shared = suite.all_tasks[task].environment, suite.environment
    changed = suite.methods[method].environment.settings if method else {}
    path, changed_path = ("tasks", task, "environment"), ("methods", method or "", "environment")
    family = own.family or shared.family
    if family is None:
        raise ValidationFailed(Problem("missing: the environment family", (("environment", "family"),)))
    inherited = shared.settings if family == shared.family else {}
    model = config_class(registry, registry.environment, family, ((*path, "family"), ("environment", "family")))
    if problems := view_problems(changed, changed_path, family, model):
        raise ValidationFailed(*problems)
    settings = deep_merge(deep_merge(inherited, own.settings), changed)
    named = model.task_field if issubclass(model, EnvironmentConfig) else ""
    by_task = {named: task} if named and named not in settings else {}

    def source_paths(key: KeyPath) -> tuple[KeyPath, ...]:
        if key[:1] == tuple(by_task):
            return ((*path, *key),)
        by_method = ((*changed_path, *key),) if key and key[0] in changed else ()
        return (*by_method, (*path, *key), ("environment", *key))

    config = validate(model, {**settings, **by_task}, source_paths, f"environment family {family!r}")
    return family, config, by_task


def resolve_normalisation(suite: Suite, task: str, resolved: ResolvedSuite) -> Normalisation | None:
    """The constants that normalise a task's score: the suite's, or else what its environment family agrees on."""
    family, config = resolved.environments[task]
    known = config.score_range if isinstance(config, EnvironmentConfig) else None
    if known is None or suite.all_tasks[task].normalise:
        return suite.all_tasks[task].normalise
    normalise = Normalisation(low=known.low, high=known.high, source=known.source)
    path, layer = ("tasks", task, "normalise"), Layer("family default", f"environment family {family!r}", known._asdict())
    resolved.blocks.append(ResolvedBlock(path, normalise.model_dump(mode="json"), [layer], ""))
    return normalise


def resolve_algorithm(suite: Suite, method: str, resolved: ResolvedSuite, registry: Registry) -> tuple[str, AlgorithmConfig]:
    """The name of a method's base algorithm, and its configuration."""
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


def resolve_reward(suite: Suite, method: str, resolved: ResolvedSuite, registry: Registry) -> RewardSpec | None:
    """The intrinsic reward of a method with its configuration and combination; ``None`` for a method without one."""
    block, path = suite.methods[method], ("methods", method)
    if block.reward is None:
        return None
    model = config_class(registry, registry.method, block.reward, ((*path, "reward"),))
    preset = _resolve_method_preset(block, path, registry)
    about = f"method {block.reward!r}{_preset_phrase(preset)}"
    config = validate(model, deep_merge(preset.config, block.config), lambda key: _config_paths(path, key), about)
    modes = sorted(resolved.algorithms[method][1].combine_modes) if method in resolved.algorithms else [Combination().mode]
    published = adapt_combination(preset.combine, block.combine, modes)
    combine = validate(Combination, deep_merge(published, block.combine), lambda key: ((*path, "combine", *key),), about)
    combine = resolve_normaliser_start(combine, config)
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
            scalar_keys=("mode",),
        ),
    ]
    return RewardSpec(name=block.reward, config=config.model_dump(mode="json"), combine=combine)


def _config_paths(path: KeyPath, key: KeyPath) -> tuple[KeyPath, ...]:
    """Where a setting of a method may be written: weights of a mixture's members stand beside their names as well."""
    written = (*path, "config", *key)
    return ((*path, "reward", "mix", *key[1:]), written) if key[:1] == ("weights",) else (written,)


def resolve_method_phases(suite: Suite, method: str, resolved: ResolvedSuite, registry: Registry) -> PhaseBlocks:
    """The phases of a method by name; none for a method without any."""
    block, path = suite.methods[method], ("methods", method)
    if block.reward is None:
        return {}
    try:
        preset = _resolve_method_preset(block, path, registry)
    except ValidationFailed:  # reported where the reward is resolved
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


def config_class(registry: Registry, find: Callable[[str], Any], name: str, paths: tuple[KeyPath, ...]) -> type[Config]:
    """The configuration of what has this name; an unknown name is a problem at ``paths``."""
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
