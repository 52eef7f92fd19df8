"""A continuous task in a few lines: a point is pushed about a square until it reaches a corner; states or images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from harness import NO_INFO, EnvironmentConfig, HarnessVecEnv, episode_end_info

_SIDE = 36


class PointMassConfig(EnvironmentConfig):
    episode_steps: int = Field(default=12, gt=0)
    """Steps until an episode is truncated."""

    pixels: bool = False
    """Whether the point is seen as a white square in three stacked frames."""

    exact: bool = True
    """Whether environments can restore their state."""

    @property
    def episode_limit(self) -> int:
        return self.episode_steps

    @property
    def saves_state(self) -> bool:
        return self.exact

    @property
    def actions(self) -> Literal["continuous"]:
        return "continuous"

    @property
    def observations(self) -> Literal["images", "vectors"]:
        return "images" if self.pixels else "vectors"


class ReplayedPointMass(HarnessVecEnv):
    """Position in [-1, 1]^2 moves by 0.2 times the action, which lies in [-2, 2]^2; reward 1 and an end beyond (0.8, 0.8)."""

    def __init__(self, config: PointMassConfig, n_envs: int) -> None:
        space = spaces.Box(-1, 1, (2,), np.float32)
        if config.pixels:
            space = spaces.Box(0, 255, (3, _SIDE, _SIDE), np.uint8)
        action = spaces.Box(-2, 2, (2,), np.float32)
        super().__init__(n_envs, space, action, frame_channels=1 if config.pixels else None)
        self.config = config
        self.rng = [np.random.default_rng() for _ in range(n_envs)]
        self.position = np.zeros((n_envs, 2))
        self.length = np.zeros(n_envs, dtype=np.int64)
        self.frames = np.zeros((n_envs, 3, _SIDE, _SIDE), dtype=np.uint8)

    def reset(self) -> np.ndarray:
        for i, seed in enumerate(self._seeds):
            if seed is not None:
                self.rng[i] = np.random.default_rng(seed)
        self._reset_seeds()
        for i in range(self.num_envs):
            self._begin(i)
        return self._observations()

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = actions

    def step_wait(self):
        self.position = np.clip(self.position + 0.2 * self.actions, -1, 1)
        self.length += 1
        self._render(np.arange(self.num_envs))
        reached = (self.position > 0.8).all(1)
        dones = reached | (self.length >= self.config.episode_steps)
        infos = [NO_INFO] * self.num_envs
        last = self._observations()
        for i in np.flatnonzero(dones):
            infos[i] = episode_end_info(last[i], truncated=not reached[i])
            self._begin(i)
        return self._observations(), reached.astype(np.float32), dones, infos

    def close(self) -> None:
        pass

    def _begin(self, i: int) -> None:
        self.position[i] = self.rng[i].uniform(-1, 0, 2)
        self.length[i] = 0
        self.frames[i] = 0
        self._render(np.array([i]))

    def _render(self, which: np.ndarray) -> None:
        if not self.config.pixels:
            return
        self.frames[which, :-1] = self.frames[which, 1:]
        self.frames[which, -1] = 0
        for i in which:
            x, y = ((self.position[i] + 1) / 2 * (_SIDE - 4)).astype(int)
            self.frames[i, -1, y : y + 4, x : x + 4] = 255

    def _observations(self) -> np.ndarray:
        return self.frames.copy() if self.config.pixels else self.position.astype(np.float32)


class PointMass(ReplayedPointMass):
    """The same, able to restore its state."""

    exact_state = True

    def state_dict(self) -> dict[str, Any]:
        return {
            "rng": [rng.bit_generator.state for rng in self.rng],
            "position": self.position.copy(),
            "length": self.length.copy(),
            "frames": self.frames.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for rng, stream in zip(self.rng, state["rng"], strict=True):
            rng.bit_generator.state = stream
        self.position, self.length, self.frames = (state[name].copy() for name in ("position", "length", "frames"))


def make(config: PointMassConfig, n_envs: int, *, threads: int = 1) -> ReplayedPointMass:
    return (PointMass if config.exact else ReplayedPointMass)(config, n_envs)
