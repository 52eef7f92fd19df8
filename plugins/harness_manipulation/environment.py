"""From a configuration to its environments."""

from __future__ import annotations

from typing import Any

from harness.environments.envpool import (
    EnvPoolTask,
    EnvPoolVecEnv,
    FlattenedDict,
    Pool,
    SuccessRewards,
    Vectors,
    scaled_converter,
)
from harness.environments.episode_metrics import FirstRewardMetrics
from harness_manipulation.config import ManipulationConfig


def make(config: ManipulationConfig, n_envs: int, *, threads: int = 1) -> EnvPoolVecEnv:
    """N robots.

    Fetch's dictionary becomes a vector of ``observation`` and ``desired_goal``. What it calls the achieved goal, the place of
    the gripper or of the object, is in the observation already.

    Args:
        config: Settings of the task.
        n_envs: N, the number of environments that step together.
        threads: C++ threads that step them; the numbers do not depend on it.
    """
    task_info = config.task_info
    options: dict[str, Any] = {"max_episode_steps": config.episode_limit}
    if task_info.hides_goal:
        options["partially_observable"] = config.goals == "hidden"
    task = EnvPoolTask(task_info.envpool_id, options)
    observation_space, action_space = task.spaces()

    def open_pool(seeds: list[int]) -> Pool:
        return SuccessRewards(task.open(seeds, threads), task_info.success, ends=config.ends_at_success)

    view = (
        FlattenedDict(observation_space, ("observation", "desired_goal"))
        if task_info.dictionary
        else Vectors(observation_space)
    )
    actions = scaled_converter(action_space)
    return EnvPoolVecEnv(open_pool, n_envs, view, actions, metrics=FirstRewardMetrics, draw="opengl")
