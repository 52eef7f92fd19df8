"""From a configuration to its environments."""

from __future__ import annotations

from harness.envpool import EnvPoolTask, EnvPoolVecEnv, Parts, Pool, SuccessRewards, Vectors, scaled
from harness.episode_metrics import FirstReward
from harness_manipulation.config import ManipulationConfig


def make(config: ManipulationConfig, n_envs: int, *, threads: int = 1) -> EnvPoolVecEnv:
    """N robots.

    Fetch's dictionary becomes a vector of ``observation`` and ``desired_goal``. What it calls the achieved goal, the place of
    the gripper or of the object, is in the observation already.

    Args:
        config: The task.
        n_envs: N, the number of environments that step together.
        threads: C++ threads that step them; the numbers do not depend on it.
    """
    known = config.known
    task = EnvPoolTask(known.envpool_id, {"max_episode_steps": config.episode_steps or known.limit})
    observation_space, action_space = task.spaces()

    def opened(seeds: list[int]) -> Pool:
        return SuccessRewards(task.open(seeds, threads), known.success, ends=config.ends_at_success)

    view = Parts(observation_space, ("observation", "desired_goal")) if known.dictionary else Vectors(observation_space)
    return EnvPoolVecEnv(opened, n_envs, view, scaled(action_space), metrics=FirstReward)
