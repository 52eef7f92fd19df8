"""The algorithm under test and the environments in which it is tried: built and driven as a run would do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecMonitor
from torch import Tensor

from harness.algorithms import randomness
from harness.algorithms.base import Learner, LearnerContext
from harness.algorithms.learner_view import LearnerVecEnv
from harness.algorithms.reward_wrapper import BonusVecEnv
from harness.config import AlgorithmConfig, EnvironmentConfig, IntrinsicRewardConfig
from harness.registry import Registry, installed
from harness.registry.hooks import Algorithm
from harness.rewards import IntrinsicReward, Spaces, Transitions
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RunSpec
from harness.testing.scripted_envs import ENVIRONMENT_KINDS, EnvironmentKind, ScriptedVecEnv, random_script
from harness.training import trees
from harness.training.contracts import check_learner, load_learner

N_ENVS, N_STEPS = 2, 24
_SCRIPT_STEPS = 50
_TOTAL_STEPS = 10_000
_CPU = torch.device("cpu")


MakeReward = Callable[[Spaces, int], IntrinsicReward[Any]]


class CountingReward(IntrinsicReward[IntrinsicRewardConfig]):
    """A bonus that is easy to follow, the length of what is seen; it counts what it is shown and asked."""

    def __init__(self, spaces: Spaces, n_envs: int) -> None:
        super().__init__(IntrinsicRewardConfig(), spaces, n_envs, _CPU, 0)
        self.observed = self.scored = self.learned = 0

    def observe(self, transitions: Transitions) -> None:
        """Count the transitions of a step."""
        self.observed += len(transitions)

    def bonus(self, transitions: Transitions) -> Tensor:
        """The mean of the squares of what is seen, float32 ``(B,)``."""
        self.scored += len(transitions)
        return transitions.next_obs.float().flatten(1).square().mean(1)

    def update(self, transitions: Transitions) -> dict[str, float]:
        """Count the transitions of a batch."""
        self.learned += len(transitions)
        return {}


@dataclass(frozen=True)
class LearnerRun:
    """A learner with its environments.

    Attributes:
        learner: The learner under test.
        base: The environments, in which a script happens.
        monitor: What counts their episodes.
        bonus_env: Those environments with the bonus around them, or ``None``.
        reward: The method behind it, or ``None``.
    """

    learner: Learner
    base: ScriptedVecEnv
    monitor: VecMonitor
    bonus_env: BonusVecEnv | None
    reward: IntrinsicReward[Any] | None

    def iterate(self, times: int = 1) -> list[dict[str, float]]:
        """The metrics of some iterations."""
        return [dict(self.learner.iterate()) for _ in range(times)]

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the learner's state by its place, copied."""
        return {name: value.clone() for name, value in trees.flatten(self.learner.state_dict())[1].items()}

    def checkpoint(self, folder: Path) -> dict[str, Any]:
        """What a run would save, after a way through JSON and safetensors."""
        state: dict[str, Any] = {
            "learner": self.learner.state_dict(),
            "random": randomness.get_state(),
            "time": self.base.time,
        }
        state["observations"] = self.learner.observations
        state["episodes"] = (self.monitor.episode_returns.copy(), self.monitor.episode_lengths.copy())
        if self.learner.replay is not None:
            state["replay"] = self.learner.replay.save(folder)
        skeleton, tensors = trees.flatten(state)
        return trees.unflatten(skeleton, {name: value.clone() for name, value in tensors.items()})

    def resume(self, state: Mapping[str, Any], folder: Path) -> None:
        """Continue where `checkpoint` was called."""
        self.base.time = state["time"]
        self.monitor.episode_returns, self.monitor.episode_lengths = state["episodes"]
        self.learner.load_state_dict(state["learner"], state["observations"])
        if self.learner.replay is not None:
            self.learner.replay.load(folder, state["replay"])
        if self.bonus_env is not None:
            self.bonus_env.resume_from(state["observations"])
        randomness.set_state(state["random"])


@dataclass(frozen=True)
class AlgorithmSubject:
    """An algorithm with a configuration.

    Attributes:
        algorithm: Description of the algorithm.
        config_class: What `Algorithm.config` names.
        registry: Where it and networks are looked up.
        settings: Values over the defaults, scaled down to be tried in seconds.
    """

    algorithm: Algorithm
    config_class: type[AlgorithmConfig]
    registry: Registry
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def named(
        cls, name: str, *, config: Mapping[str, Any] | None = None, registry: Registry | None = None
    ) -> AlgorithmSubject:
        """An installed algorithm at a small scale.

        Args:
            name: Name of the algorithm.
            config: Settings over the defaults.
            registry: Where it is looked up; what is installed by default.

        Raises:
            UnknownNameError: There is no such algorithm.
            PluginError: It cannot be imported, or does not meet its contract.
        """
        registry = registry or installed()
        algorithm, model = registry.algorithm(name), registry.algorithm_config(name)
        load_learner(registry, algorithm)
        given = model.model_validate(dict(config or {}))
        return cls(algorithm, model, registry, {**(config or {}), **given.probe_settings(N_ENVS, N_STEPS)})

    @cached_property
    def config(self) -> AlgorithmConfig:
        """The configuration that is tried."""
        return self.config_class.model_validate(dict(self.settings))

    @property
    def cases(self) -> Sequence[AlgorithmCase]:
        """A case of vectors for each kind of actions that it learns."""
        kinds = [kind for kind in ENVIRONMENT_KINDS if kind.observations == "vectors"]
        return [AlgorithmCase(self, kind) for kind in kinds if kind.actions in self.config.actions]

    @property
    def image_cases(self) -> Sequence[AlgorithmCase]:
        """A case of images for each kind of actions that it learns."""
        kinds = [kind for kind in ENVIRONMENT_KINDS if kind.observations == "images"]
        return [AlgorithmCase(self, kind) for kind in kinds if kind.actions in self.config.actions]

    def foreign_cases(self) -> Iterator[AlgorithmCase]:
        """Cases of actions that it does not learn."""
        for kind in ENVIRONMENT_KINDS:
            if kind.observations == "vectors" and kind.actions not in self.config.actions:
                yield AlgorithmCase(self, kind)


@dataclass(frozen=True)
class AlgorithmCase:
    """An algorithm in environments of one kind."""

    subject: AlgorithmSubject
    kind: EnvironmentKind

    def spec(self, seed: int) -> RunSpec:
        """The run that the learner believes to be in."""
        name, settings = self.subject.algorithm.name, self.subject.config.model_dump(mode="json")
        return RunSpec(
            suite="conformance",
            task=self.kind.observations,
            method="none",
            seed=seed,
            environment=EnvironmentSpec(family="scripted", config={}),
            algorithm=AlgorithmSpec(name=name, config=settings),
            reward=None,
            steps=_TOTAL_STEPS,
            evaluation=EvaluationSpec(every=_TOTAL_STEPS, episodes=1),
            checkpoint_every=_TOTAL_STEPS,
        )

    def build(self, seed: int = 0, *, bonus: bool | MakeReward = False) -> LearnerRun:
        """The learner as a run builds it, on one thread, at the beginning of its run.

        Args:
            seed: Seed of the run.
            bonus: Whether there is a method: `CountingReward`, or what a function makes for spaces and N environments.
        """
        config, spec = self.subject.config, self.spec(seed)
        randomness.make_deterministic(_CPU, config.threads)
        spaces = deepcopy(self.kind.spaces)  # an action space draws random numbers of its own
        script = random_script(self.kind, 1, n_steps=_SCRIPT_STEPS, n_envs=config.n_envs)
        base = ScriptedVecEnv(spaces, script)
        monitor = VecMonitor(base)
        learner_env = LearnerVecEnv(monitor, base, EnvironmentConfig())
        learner_class = load_learner(self.subject.registry, self.subject.algorithm)
        reward, bonus_env = None, None
        if bonus:
            reward = (CountingReward if bonus is True else bonus)(spaces, config.n_envs)
            bonus_env = learner_class.wrap_envs(learner_env, reward, config, Combination(mode="sum"))
        context = LearnerContext(spec, self.subject.registry, base, learner_env, bonus_env, _CPU)
        learner = learner_class(config, context)
        check_learner(self.subject.registry, self.subject.algorithm, learner)
        learner.begin(spec.steps)
        return LearnerRun(learner, base, monitor, bonus_env, reward)

    def actions_fit(self, actions: np.ndarray) -> bool:
        """Whether these are actions of each of the environments, ``(N, ...)``."""
        space = self.kind.spaces.action
        return all(space.contains(np.asarray(action, space.dtype)) for action in actions)
