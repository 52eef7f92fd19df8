"""The games in the threads of the ``procgen`` package."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from harness import NO_INFO, HarnessVecEnv, episode_end_info
from harness.environments.envpool import discrete_converter
from harness_procgen.config import ProcGenConfig
from harness_procgen.games import timeout
from harness_procgen.gym3_batch import Gym3Batch
from harness_procgen.measurements import LevelMetrics

_N_ACTIONS = 15


class Gym3Games(HarnessVecEnv):
    """N copies of one game: observations uint8 ``(N, 3, 64, 64)``, rewards as the game gives them.

    ProcGen begins the next level within the step that ends one, and never draws the frame between. The terminal observation is
    therefore the last frame that there is: the one before the last action.

    Args:
        config: The game and its levels.
        n_envs: Number of environments, N.
        threads: C++ threads that step them.
    """

    def __init__(self, config: ProcGenConfig, n_envs: int, *, threads: int = 1) -> None:
        self._config, self._threads, self._held_out = config, threads, False
        self._actions = discrete_converter(spaces.Discrete(_N_ACTIONS))
        super().__init__(n_envs, spaces.Box(0, 255, (3, 64, 64), np.uint8), self._actions.space, frame_channels=3)
        self._batch: Gym3Batch | None = None
        self._metrics: LevelMetrics | None = None
        self._elapsed = np.zeros(n_envs, np.int64)
        self._envs = np.arange(n_envs)
        self.reseed((np.random.SeedSequence().generate_state(n_envs) >> 1).tolist())

    def enable_metrics(self) -> None:
        """Play the evaluation's levels from the first reset on; each episode's last info holds its `LevelMetrics`."""
        self._held_out = self._config.evaluation_levels == "held_out"
        self._metrics = LevelMetrics(self.num_envs, self._held_out if self._config.num_levels else None)

    def reset(self) -> np.ndarray:
        """Begin a new level everywhere; makes a new batch after `reseed`."""
        if None not in self._seeds:
            self.close()
            config, options = self._config, self._config.options(held_out=self._held_out)
            seeds = [seed for seed in self._seeds if seed is not None]
            self._batch = Gym3Batch(config.game, config.distribution_mode, options, seeds, self._threads)
            self._reset_seeds()
        else:
            self._require_batch.restart()
        self._elapsed[:] = 0
        self._frames = self._require_batch.observe()[1]
        if self._metrics:
            self._metrics.begin(self._envs, None, {})
        return self._frames.copy()

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step.

        Raises:
            ValueError: An action is out of range.
        """
        self._require_batch.act(self._actions.convert(actions))

    def step_wait(self) -> VecEnvStepReturn:
        """Finish the step; see `HarnessVecEnv` for what is promised, and the class for what is not."""
        rewards, frames, dones = self._require_batch.observe()
        self._elapsed += 1
        infos = [NO_INFO] * self.num_envs
        if dones.any() or self._metrics:
            solved = self._require_batch.info()["prev_level_complete"].astype(bool)
            if self._metrics:
                self._metrics.step(None, rewards, {"prev_level_complete": solved})
            ended = np.flatnonzero(dones)
            for env in ended:
                infos[env] = self._end(int(env), bool(solved[env]))
            self._elapsed[ended] = 0
            if self._metrics:
                self._metrics.begin(ended, None, {})
        self._frames = frames
        return frames.copy(), rewards.astype(np.float32), dones.astype(bool), infos

    def close(self) -> None:
        """End ProcGen's threads; harmless when repeated."""
        if self._batch is not None:
            self._batch.close()
        self._batch = None

    @property
    def _require_batch(self) -> Gym3Batch:
        if self._batch is None:
            raise RuntimeError("reset() comes before the first step, and nothing comes after close()")
        return self._batch

    def _end(self, env: int, solved: bool) -> dict[str, Any]:
        truncated = bool(self._elapsed[env] >= timeout(self._config.game) and not solved)
        metrics = self._metrics.metrics(env) if self._metrics else None
        return episode_end_info(self._frames[env].copy(), truncated=truncated, metrics=metrics)
