"""Environments whose observations are random bytes of any shape, declared as images or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium import spaces

from harness import EnvironmentConfig, HarnessVecEnv, episode_end_info
from harness.environments.base import NO_INFO

_EPISODE = 7


class PicturesConfig(EnvironmentConfig):
    task_field: ClassVar[str] = ""

    shape: tuple[int, ...]
    frame_channels: int | None = 1
    action: Literal["discrete", "continuous"] = "discrete"

    @property
    def actions(self) -> Literal["discrete", "continuous"]:
        return self.action

    @property
    def saves_state(self) -> bool:
        return True


class Pictures(HarnessVecEnv):
    """Episodes of seven steps; what is seen depends on nothing but the seed and the time."""

    exact_state: ClassVar[bool] = True

    def __init__(self, config: PicturesConfig, n_envs: int) -> None:
        action = spaces.Discrete(3) if config.action == "discrete" else spaces.Box(-1, 1, (2,), np.float32)
        super().__init__(n_envs, spaces.Box(0, 255, config.shape, np.uint8), action, frame_channels=config.frame_channels)
        self.seed_of_now, self.time = 0, 0

    def _pictures(self) -> np.ndarray:
        rng = np.random.default_rng((self.seed_of_now, self.time))
        return rng.integers(0, 256, (self.num_envs, *self.observation_space.shape), dtype=np.uint8)  # type: ignore[misc]

    def reset(self) -> np.ndarray:
        if self._seeds[0] is not None:
            self.seed_of_now = self._seeds[0]
        self._reset_seeds()
        self.time = 0
        return self._pictures()

    def step_async(self, actions: np.ndarray) -> None:
        pass

    def step_wait(self) -> Any:
        self.time += 1
        now, done = self._pictures(), np.full(self.num_envs, self.time % _EPISODE == 0)
        infos = [episode_end_info(now[i].copy(), truncated=False) if done[i] else NO_INFO for i in range(self.num_envs)]
        if done[0]:
            self.time += 1
        return self._pictures() if done[0] else now, done.astype(np.float32), done, infos

    def close(self) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {"seed": self.seed_of_now, "time": self.time}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.seed_of_now, self.time = state["seed"], state["time"]


def make(config: PicturesConfig, n_envs: int, *, threads: int = 1) -> Pictures:
    return Pictures(config, n_envs)
