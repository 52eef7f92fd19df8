"""Tasks from states, stepped by EnvPool's C++ threads."""

from __future__ import annotations

from functools import partial

from harness.envpool import EnvPoolTask, EnvPoolVecEnv, Parts, scaled
from harness.episode_metrics import FirstReward
from harness_dm_control.config import DmControlConfig
from harness_dm_control.tasks import SPARSE


def make(config: DmControlConfig, n_envs: int, *, threads: int = 1) -> EnvPoolVecEnv:
    """N copies of one task: observations float32 ``(N, size)``, the parts of a state in `harness_dm_control.tasks`' order.

    EnvPool's own ``frame_skip`` is left alone: it sets physics steps per environment step, which dm_control fixes by task.
    """
    pool = EnvPoolTask(config.suite_task.envpool_id, {"max_episode_steps": config.episode_steps})
    observation_space, action_space = pool.spaces()
    return EnvPoolVecEnv(
        partial(pool.open, threads=threads),
        n_envs,
        Parts(observation_space, config.suite_task.parts),
        scaled(action_space),
        action_repeat=config.action_repeat,
        metrics=FirstReward if config.task in SPARSE else None,
    )
