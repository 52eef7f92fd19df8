"""Tasks from pixels: dm_control's own environments and renderer, all in this process.

Rendering takes nearly all of the time, a hundred times that of the physics where no GPU helps. Two processes on two cores
render 1.4 times as many images per second as one, whose software renderer has threads of its own; published settings have
one environment. So there are no processes to look after.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from harness import NO_INFO, HarnessVecEnv, episode_end_info
from harness.environments.envpool import scaled_converter
from harness.environments.episode_metrics import FirstRewardMetrics
from harness_dm_control.config import DmControlConfig
from harness_dm_control.opengl import rendering_platform
from harness_dm_control.tasks import SPARSE

_CHANNELS = 3


class DmControlPixels(HarnessVecEnv):
    """N copies of one task: observations uint8 ``(N, 3 * stack, size, size)``, newest image last.

    Args:
        config: The task and its camera.
        n_envs: Number of environments, N.
    """

    def __init__(self, config: DmControlConfig, n_envs: int) -> None:
        self._config = config
        self._random = [np.random.RandomState() for _ in range(n_envs)]
        self._tasks = [_load(config, random) for random in self._random]
        motors = self._tasks[0].action_spec()
        self._actions = scaled_converter(spaces.Box(motors.minimum, motors.maximum, motors.shape, np.float64))
        shape = (_CHANNELS * config.stack, config.size, config.size)
        super().__init__(n_envs, spaces.Box(0, 255, shape, np.uint8), self._actions.space, frame_channels=_CHANNELS)
        self._stacks = np.zeros((n_envs, *shape), np.uint8)
        self._elapsed = np.zeros(n_envs, dtype=np.int64)
        self._metrics: FirstRewardMetrics | None = None

    def enable_metrics(self) -> None:
        """Put `FirstRewardMetrics` into the info of every episode's end, where rewards are sparse."""
        self._metrics = FirstRewardMetrics(self.num_envs) if self._config.task in SPARSE else None

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere."""
        for random, seed in zip(self._random, self._seeds, strict=True):
            if seed is not None:
                random.seed(seed)
        self._reset_seeds()
        for env in range(self.num_envs):
            self._begin(env)
        return self._stacks.copy()

    def step_async(self, actions: np.ndarray) -> None:
        """Take the actions, ``(N, motors)`` from -1 to 1."""
        self._pending_actions = self._actions.convert(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Do the step; see `HarnessVecEnv` for what is promised."""
        rewards = np.array([self._step(env) for env in range(self.num_envs)], dtype=np.float32)
        dones = self._elapsed >= self._config.episode_steps
        infos = [NO_INFO] * self.num_envs
        if self._metrics:
            self._metrics.step(None, rewards, {})
        for env in np.flatnonzero(dones).tolist():
            infos[env] = self._end(env)
            self._begin(env)
        return self._stacks.copy(), rewards, dones, infos

    def close(self) -> None:
        """Free the renderers; harmless when repeated."""
        for task in self._tasks:
            task.close()
        self._tasks = []

    def _begin(self, env: int) -> None:
        self._tasks[env].reset()
        self._elapsed[env] = 0
        self._stacks[env] = np.tile(self._image(env), (self._config.stack, 1, 1))
        if self._metrics:
            self._metrics.begin(np.array([env]), None, {})

    def _step(self, env: int) -> float:
        reward = 0.0
        for _ in range(min(self._config.action_repeat, self._config.episode_steps - self._elapsed[env])):
            reward += self._tasks[env].step(self._pending_actions[env]).reward or 0.0
            self._elapsed[env] += 1
        self._stacks[env, :-_CHANNELS] = self._stacks[env, _CHANNELS:]
        self._stacks[env, -_CHANNELS:] = self._image(env)
        return reward

    def _end(self, env: int) -> dict[str, Any]:
        metrics = self._metrics.metrics(env) if self._metrics else None
        return episode_end_info(self._stacks[env].copy(), truncated=True, metrics=metrics)

    def _image(self, env: int) -> np.ndarray:
        """What the camera sees, uint8 ``(3, size, size)``."""
        size = self._config.size
        return self._tasks[env].physics.render(size, size, camera_id=self._config.camera_id).transpose(2, 0, 1)


def make(config: DmControlConfig, n_envs: int) -> DmControlPixels:
    """N copies of one task, rendered in this process."""
    return DmControlPixels(config, n_envs)


def _load(config: DmControlConfig, random: np.random.RandomState) -> Any:
    os.environ["MUJOCO_GL"] = rendering_platform()  # read when dm_control is first imported
    from dm_control import suite

    # No limit of its own: it counts seconds, and `episode_steps` are counted here.
    task_kwargs = {"random": random, "time_limit": float("inf")}
    return suite.load(config.domain, config.suite_task.name, task_kwargs=task_kwargs)
