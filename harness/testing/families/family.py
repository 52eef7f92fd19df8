"""A family under examination, and rollouts of random actions in its environments."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np

from harness.config import EnvironmentConfig
from harness.environments.base import HarnessVecEnv, StepReturn
from harness.registry import installed
from harness.registry.hooks import EnvironmentFamily

SEEDS = (5, 2**31 - 2, 77)
"""One for each environment; the largest that a run may give is among them."""

MAX_STEPS = 2000
MAX_SECONDS = 10.0
ENDS_WANTED = 2


@dataclass
class Rollout:
    """What N environments answered to random actions from one seeding on.

    Attributes:
        observations: After the reset and after each step, ``T + 1`` arrays ``(N, ...)``.
        actions: ``T`` arrays ``(N, ...)``.
        rewards: ``T`` arrays ``(N,)``.
        dones: ``T`` arrays ``(N,)``.
        infos: ``T`` lists of N infos.
    """

    observations: list[np.ndarray] = field(default_factory=list[np.ndarray])
    actions: list[np.ndarray] = field(default_factory=list[np.ndarray])
    rewards: list[np.ndarray] = field(default_factory=list[np.ndarray])
    dones: list[np.ndarray] = field(default_factory=list[np.ndarray])
    infos: list[list[dict[str, Any]]] = field(default_factory=list[list[dict[str, Any]]])

    def __len__(self) -> int:
        return len(self.actions)

    def ends(self) -> Iterator[tuple[int, int]]:
        """Step and environment of every episode's end."""
        for t, infos in enumerate(self.infos):
            for env, info in enumerate(infos):
                if info:
                    yield t, env

    def of(self, env: int) -> list[np.ndarray]:
        """Everything that one environment answered, in order."""
        numbers = [self.observations[0][env]]
        for t in range(len(self)):
            numbers += [self.observations[t + 1][env], self.rewards[t][env], self.dones[t][env]]
            numbers += [self.infos[t][env]["terminal_observation"]] if self.infos[t][env] else []
        return numbers


@dataclass(frozen=True)
class Family:
    """A family with the settings that it is examined with.

    Attributes:
        description: As the plugin gave it.
        config_class: Class of its settings.
        settings: Settings that replace its defaults.
        make: Makes N environments.
    """

    description: EnvironmentFamily
    config_class: type[EnvironmentConfig]
    settings: Mapping[str, Any]
    make: Any

    @classmethod
    def named(cls, name: str, config: Mapping[str, Any] | None = None) -> Family:
        """The installed family of this name.

        Args:
            name: As in a suite.
            config: Settings over those that the family gives as an example.

        Raises:
            UserError: Nothing of this name is installed, or it cannot be imported.
        """
        registry = installed()
        description = registry.environment(name)
        config_class = registry.config_class(description)
        assert issubclass(config_class, EnvironmentConfig)
        settings = {**description.example, **(config or {})}
        return cls(description, config_class, settings, registry.load(description.make))

    @cached_property
    def config(self) -> EnvironmentConfig:
        """The settings, validated."""
        return self.config_class.model_validate(self.settings)

    @contextmanager
    def environments(self, n_envs: int = len(SEEDS), *, threads: int = 1) -> Generator[HarnessVecEnv]:
        """N environments, closed afterwards."""
        env = self.make(self.config, n_envs, threads=threads)
        try:
            yield env
        finally:
            env.close()

    @cached_property
    def rollout(self) -> Rollout:
        """Random actions until each environment has ended some episodes, or it has taken long enough."""
        with self.environments() as env:
            env.enable_metrics()
            begin, ends, rollout = time.monotonic(), np.zeros(env.num_envs), reset(env, SEEDS)
            env.action_space.seed(0)
            while ends.min() < ENDS_WANTED and len(rollout) < MAX_STEPS and time.monotonic() - begin < MAX_SECONDS:
                step(env, rollout, np.stack([env.action_space.sample() for _ in range(env.num_envs)]))
                ends += rollout.dones[-1]
        return rollout

    def replay(self, env: HarnessVecEnv, seeds: Sequence[int] = SEEDS, columns: Sequence[int] = range(len(SEEDS))) -> Rollout:
        """The actions of `rollout` again.

        Args:
            env: The environments to step.
            seeds: One for each environment.
            columns: For each environment, whose actions of `rollout` it does.
        """
        again = reset(env, seeds)
        for actions in self.rollout.actions:
            step(env, again, actions[list(columns)])
        return again


def reset(env: HarnessVecEnv, seeds: Sequence[int]) -> Rollout:
    """A rollout that has just begun."""
    env.reseed(seeds)
    return Rollout(observations=[np.array(env.reset())])


def step(env: HarnessVecEnv, rollout: Rollout, actions: np.ndarray) -> None:
    """Do a step and add it to a rollout; what is kept are copies."""
    result = cast(StepReturn, env.step(np.array(actions)))
    observations, rewards, dones, infos = result
    rollout.actions.append(np.array(actions))
    rollout.observations.append(np.array(observations))
    rollout.rewards.append(np.array(rewards))
    rollout.dones.append(np.array(dones))
    rollout.infos.append(infos)
