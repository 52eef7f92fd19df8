"""From a configuration to its environments."""

from __future__ import annotations

from functools import partial

from harness.environments.base import HarnessVecEnv
from harness.environments.envpool import EnvPoolTask, EnvPoolVecEnv, discrete_converter
from harness.environments.episode_metrics import FirstRewardMetrics
from harness_minigrid.config import MiniGridConfig
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
        partial(pool.open, threads=threads), n_envs, observations, discrete_converter(action_space), metrics=FirstRewardMetrics
    )
