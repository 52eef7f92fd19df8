"""Everything a plugin may provide: the hook specifications and the descriptions they return.

A plugin is a module named by an entry point in the group ``harness``; its functions carry `hookimpl`. Hooks return light
descriptions. Heavy classes are named by import path (``"package.module:Attribute"``) and imported when a run needs them,
so that ``harness list`` answers at once. Configuration modules are imported for validation and must not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pluggy

from harness.config import LearnerKind

GROUP = "harness"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


# --------------------------------------------------------------------------------------------------------------------
# Descriptions
# --------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Preset:
    """Named values for a configuration, with the place they were taken from.

    Attributes:
        name: Name to be written after ``preset:`` in a suite, such as ``burda2018``.
        source: The paper, table or file and commit that the values come from.
        config: Values for the configuration.
        combine: Values for the suite's ``combine`` block; only presets of methods have them.
        phases: Values for the suite's ``phases`` block, by name and in order; only presets of methods have them.
    """

    name: str
    source: str
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    combine: Mapping[str, Any] = field(default_factory=dict[str, Any])
    phases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass(frozen=True, kw_only=True)
class Method:
    """An intrinsic reward.

    Attributes:
        name: Name to be written after ``reward:`` in a suite.
        reward: Import path of the `harness.rewards.IntrinsicReward` subclass.
        config: Import path of its `harness.config.IntrinsicRewardConfig` subclass.
        summary: The idea in one sentence.
        paper: Authors, year and identifier.
        works_with: The kinds of learner that it works with, by what they are (`harness.config.KIND_AXES`): ``on_policy``,
            ``off_policy`` or both; ``sequences`` if only learners with a recurrent state will do; ``discrete`` or
            ``continuous`` if only such actions will do.
        presets: Published settings; the first is the default.
        packages: Names of distributions, as pip has them, whose versions decide its numbers; each run records them.
    """

    name: str
    reward: str
    config: str
    summary: str = ""
    paper: str = ""
    works_with: set[LearnerKind] | frozenset[LearnerKind] = frozenset({"on_policy"})
    presets: Sequence[Preset] = ()
    packages: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class EnvironmentFamily:
    """Environments that are made the same way.

    Attributes:
        name: Name to be written after ``family:`` in a suite.
        make: Import path of ``make(config, n_envs, *, threads=1) -> harness.environments.base.HarnessVecEnv``.
        config: Import path of the `harness.config.EnvironmentConfig` subclass.
        summary: The environments in one sentence.
        source: The package or paper that the environments come from.
        requires: What must be installed, and how, in words; empty when the extra is enough.
        example: Settings of a small task, with which ``harness check NAME`` examines the family; empty where every setting has
            a default.
        n_envs: Environments that an on-policy learner steps together where neither suite nor preset says: as many as make
            stepping cheap beside a network. It is a number of the family and not of the machine, since scores depend on it.
        packages: Names of distributions, as pip has them, whose versions decide its numbers; each run records them.
    """

    name: str
    make: str
    config: str
    summary: str = ""
    source: str = ""
    requires: str = ""
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])
    n_envs: int = 8
    packages: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Network:
    """An actor-critic network, as written after ``network:`` in an algorithm's block.

    Attributes:
        name: Name to be written after ``network:`` in a suite.
        build: Import path of a `harness.algorithms.networks.ActorCriticNetwork` subclass.
        summary: The architecture in one sentence.
        paper: Where it was published.
        packages: Names of distributions, as pip has them, whose versions decide its numbers; each run records them.
    """

    name: str
    build: str
    summary: str = ""
    paper: str = ""
    packages: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """A base algorithm that learns from the combined reward.

    Attributes:
        name: Name to be written after ``name:`` in the suite's ``algorithm`` block.
        learner: Import path of the `harness.algorithms.base.Learner` class that trains it.
        config: Import path of its `harness.config.AlgorithmConfig` subclass.
        summary: The algorithm in one sentence.
        paper: Where it was published.
        presets: Published settings; none is the default.
        packages: Names of distributions, as pip has them, whose versions decide its numbers; each run records them.
    """

    name: str
    learner: str
    config: str
    summary: str = ""
    paper: str = ""
    presets: Sequence[Preset] = ()
    packages: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class AlgorithmPreset:
    """A preset that a plugin contributes to an algorithm it does not own."""

    algorithm: str
    preset: Preset


@dataclass(frozen=True, kw_only=True)
class Executor:
    """A way to carry runs to the processes that train them.

    Attributes:
        name: Name to be given to ``--executor``.
        executor: Import path of the `harness.execution.executor.RunExecutor` subclass.
        summary: Where runs are trained, in one sentence.
        config: Import path of the `harness.config.Config` subclass of what a suite may write below ``executor: {NAME: ...}``;
            empty for an executor without settings. No run depends on them.
    """

    name: str
    executor: str
    summary: str = ""
    config: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """A section of the report.

    Attributes:
        name: Short name of the section, unique over all plugins; messages use it.
        build: Import path of ``build(context) -> harness.report.document.Section | None``, where ``None`` says that there
            is nothing to show. The context is the one in `harness.report.context` that ``scope`` names.
        scope: What the section is about and stands under: each ``suite``, each ``study``, or the ``report`` as a whole.
        order: Place among the sections of the same scope, smallest first; the harness's own have multiples of 100.
        summary: What the section shows, in one sentence.
    """

    name: str
    build: str
    scope: Literal["suite", "study", "report"] = "suite"
    order: int = 750
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """A place in which runs are followed while they train, such as Weights & Biases.

    Attributes:
        name: Name to be written below ``trackers:`` in a suite, or to be given to ``--tracker``.
        tracker: Import path of the `harness.tracking.base.RunTracker` subclass. It is imported in a process of its own.
        summary: Where runs are followed, in one sentence.
        config: Import path of the `harness.config.TrackerConfig` subclass of what a suite may write below
            ``trackers: {NAME: ...}``; empty for a tracker that has no more than the settings of all. No run depends on them.
        inline: Whether it writes in the process of the run, into the run's own folder, and for every run. The harness's own
            TensorBoard does; plugins cannot.
    """

    name: str
    tracker: str
    summary: str = ""
    config: str = ""
    inline: bool = False


# --------------------------------------------------------------------------------------------------------------------
# Hook specifications: all of them are optional, and the lists of all plugins are joined
# --------------------------------------------------------------------------------------------------------------------
@hookspec
def harness_methods() -> Sequence[Method]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Intrinsic rewards that this plugin provides; names must be unique over all plugins."""


@hookspec
def harness_environments() -> Sequence[EnvironmentFamily]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Environment families that this plugin provides; names must be unique over all plugins."""


@hookspec
def harness_networks() -> Sequence[Network]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Actor-critic networks that this plugin provides; names must be unique over all plugins."""


@hookspec
def harness_algorithms() -> Sequence[Algorithm]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Base algorithms that this plugin provides; names must be unique over all plugins."""


@hookspec
def harness_algorithm_presets() -> Sequence[AlgorithmPreset]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Published settings for an algorithm, which may come from another plugin than the algorithm itself."""


@hookspec
def harness_executors() -> Sequence[Executor]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Executors that this plugin provides; names must be unique over all plugins."""


@hookspec
def harness_trackers() -> Sequence[Tracker]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Trackers that this plugin provides; names must be unique over all plugins."""


@hookspec
def harness_report_sections() -> Sequence[ReportSection]:  # type: ignore[empty-body]  # pluggy calls the plugins' functions, never this one
    """Sections that this plugin adds to every report; names must be unique over all plugins."""
