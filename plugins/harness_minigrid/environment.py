"""From a configuration to its environments."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.environments.base import HarnessVecEnv
from harness.environments.envpool import EnvPoolTask, EnvPoolVecEnv, Pool, discrete_converter
from harness.environments.episode_metrics import FirstRewardMetrics
from harness.environments.places import Places
from harness_minigrid.config import MiniGridConfig
from harness_minigrid.positions import MAP, cells
from harness_minigrid.views import observation_converter


def make(config: MiniGridConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """N copies of one task; every episode is another grid, drawn from the environment's seed.

    Args:
        config: The task, what steps it, and what is seen of it.
        n_envs: N, the number of environments that step together.
        threads: C++ threads, or processes of the package minigrid, that step them; the numbers do not depend on it.
    """
    observations = observation_converter(config)
    if config.chosen_engine == "minigrid":
        from harness_minigrid.with_minigrid import MiniGridVecEnv

        return MiniGridVecEnv(config, n_envs, observations, threads)
    options = {} if config.episode_steps is None else {"max_episode_steps": config.episode_steps}
    pool = EnvPoolTask(config.registered_id, options)
    _, action_space = pool.spaces()
    return EnvPoolVecEnv(
        lambda seeds: RewardsEnd(pool.open(seeds, threads)),
        n_envs,
        observations,
        discrete_converter(action_space),
        metrics=FirstRewardMetrics,
        draw="engine",
        places=Places(MAP, lambda observations, info: cells(info["agent_pos"])),
    )


class RewardsEnd:
    """A pool in which a step that earns or costs something ends the episode, at the limit too, as in every task of MiniGrid.

    EnvPool 1.2.5 calls an episode truncated whenever it ends at the step of its limit, so that a goal reached there would be
    worth what might have come after. An end there without a reward, in lava for example, cannot be told from the limit.

    Args:
        pool: The pool of EnvPool that is stepped.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool, self.send, self.reset = pool, pool.send, pool.reset

    def recv(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Finish a step."""
        observations, rewards, terminated, truncated, info = self._pool.recv()
        return observations, rewards, terminated | (rewards != 0), truncated, info

    def render(self, env_id: np.ndarray, side: int) -> np.ndarray:
        """Pictures of the environments ``env_id``."""
        return self._pool.render(env_id, side)
