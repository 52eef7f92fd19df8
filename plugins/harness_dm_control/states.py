"""Tasks from states, stepped by EnvPool's C++ threads.

One reward of EnvPool 1.2.5 is not dm_control's: its ``BallInCupCatch`` takes the radius of a part of the cup for the ball's
and pays for a ball up to 42 mm from the middle of the cup, where dm_control wants 25 mm. It is computed anew here. Tests
compare the rewards of all tasks that pay at a goal only with dm_control's, at states that pay and states that do not.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness.environments.envpool import EnvPoolTask, EnvPoolVecEnv, FlattenedDict, StepResult, scaled_converter
from harness.environments.episode_metrics import FirstRewardMetrics
from harness_dm_control.config import DmControlConfig
from harness_dm_control.tasks import SPARSE

_CUP_ABOVE_BALL = 0.35
"""How far above the ball the cup's middle hangs when all joints are at 0, in metres (dm_control's ``ball_in_cup.xml``)."""
_CATCH_MARGIN = 0.025
"""Half the cup's width and height, 0.05 m, less the ball's radius, 0.025 m."""


def make(config: DmControlConfig, n_envs: int, *, threads: int = 1) -> EnvPoolVecEnv:
    """N copies of one task: observations float32 ``(N, size)``, the parts of a state in `harness_dm_control.tasks`' order.

    EnvPool's own ``frame_skip`` is left alone: it sets physics steps per environment step, which dm_control fixes by task.
    """
    pool = EnvPoolTask(config.suite_task.envpool_id, {"max_episode_steps": config.episode_steps})
    observation_space, action_space = pool.spaces()
    return EnvPoolVecEnv(
        partial(pool.open, threads=threads),
        n_envs,
        FlattenedDict(observation_space, config.suite_task.parts),
        scaled_converter(action_space),
        action_repeat=config.action_repeat,
        rewards=_ball_in_cup if config.task == "ball_in_cup_catch" else None,
        metrics=FirstRewardMetrics if config.task in SPARSE else None,
        draw="opengl",
    )


def _ball_in_cup(batch: StepResult) -> np.ndarray:
    """1 wherever the ball is in the cup, as dm_control's ``ball_in_cup.Physics.in_target`` decides."""
    cup, ball = np.split(batch.observations["position"], 2, axis=1)
    distance = np.abs(cup + np.array([0, _CUP_ABOVE_BALL]) - ball)
    return np.all(distance < _CATCH_MARGIN, axis=1).astype(np.float32)
