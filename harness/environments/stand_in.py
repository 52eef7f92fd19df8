"""What stands in for environments where a learner must be built and nothing is trained."""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np

from harness.environments.base import HarnessVecEnv, StepReturn


class StandInVecEnv(HarnessVecEnv):
    """N environments that look like others, show zeros and cannot be stepped: they cost nothing.

    Args:
        like: Environments with the same spaces.
        num_envs: N, the number of environments.
    """

    exact_state: ClassVar[bool] = True

    def __init__(self, like: HarnessVecEnv, num_envs: int) -> None:
        super().__init__(num_envs, like.observation_space, like.action_space, frame_channels=like.frame_channels)

    def reset(self) -> np.ndarray:
        """Zeros, ``(N, *shape)``."""
        self._reset_seeds()
        space = self.observation_space
        return np.zeros((self.num_envs, *cast(tuple[int, ...], space.shape)), space.dtype)

    def step_async(self, actions: np.ndarray) -> None:
        """Refused, as `step_wait` is."""
        raise NotImplementedError("these stand in for environments, and cannot be stepped")

    def step_wait(self) -> StepReturn:
        """Refused."""
        raise NotImplementedError("these stand in for environments, and cannot be stepped")

    def close(self) -> None:
        """Nothing to release."""
