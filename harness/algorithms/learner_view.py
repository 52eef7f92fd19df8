"""What the learner sees of the environments: transformed rewards, time limits as configured, and truncation at checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs

from harness.config import EnvironmentConfig
from harness.environments.base import HarnessVecEnv, StepReturn, episode_end_info

FORCED_TRUNCATION = "checkpoint_cut"
"""Key of the info of an episode that a checkpoint ended: always bootstrapped, whatever time limits mean."""

_TRANSFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda rewards: rewards,
    "sign": np.sign,
    "positive_sign": lambda rewards: np.maximum(np.sign(rewards), 0),
}


class LearnerVecEnv(VecEnvWrapper):
    """Stands outside the episode monitor, so that logged returns stay the environment's own.

    Args:
        venv: The environments, monitored.
        base: The family's environments at the bottom of ``venv``.
        config: Says how rewards are transformed and what a time limit means.
    """

    def __init__(self, venv: VecEnv, base: HarnessVecEnv, config: EnvironmentConfig) -> None:
        super().__init__(venv)
        self.base = base
        self._transform = _TRANSFORMS[config.reward_transform]
        self._limits_terminate = config.time_limit == "terminates"
        self._steps_to_truncation = 0
        self._reset_seeds_after_truncation: Sequence[int] = ()

    def truncate_after(self, n_steps: int, seeds: Sequence[int]) -> None:
        """Truncate every episode at the ``n_steps``-th step from now, and go on from a reset with these seeds.

        Environments that cannot restore their state are resumable at exactly such a point; an unbroken run is cut there
        too, so that both are the same by construction.

        Args:
            n_steps: Vector steps until the truncation, at least 1.
            seeds: One per environment.
        """
        self._steps_to_truncation, self._reset_seeds_after_truncation = n_steps, seeds

    def reset(self) -> VecEnvObs:
        """Begin new episodes everywhere."""
        return self.venv.reset()

    def step_wait(self) -> StepReturn:
        """The step as the learner sees it."""
        step = cast(StepReturn, self.venv.step_wait())
        observations, rewards, dones, infos = step
        rewards = self._transform(rewards)
        if self._limits_terminate and dones.any():
            for i in np.flatnonzero(dones):
                infos[i]["TimeLimit.truncated"] = False  # the monitor made this info a copy of its own
        if self._steps_to_truncation:
            self._steps_to_truncation -= 1
            if not self._steps_to_truncation:
                assert isinstance(observations, np.ndarray)
                return self._truncate_all(observations, rewards, dones, infos)
        return observations, rewards, dones, infos

    def _truncate_all(
        self, observations: np.ndarray, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]
    ) -> StepReturn:
        """The step as one that ends every episode; those that ended by themselves keep their own ending."""
        for i in np.flatnonzero(~dones):
            infos[i] = episode_end_info(np.array(observations[i]), truncated=True) | {FORCED_TRUNCATION: True}
        self.base.reseed(self._reset_seeds_after_truncation)
        return self.venv.reset(), rewards, np.ones_like(dones), infos
