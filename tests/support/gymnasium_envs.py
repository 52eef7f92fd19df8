"""Gymnasium environments made for tests; importing this registers them, and processes can import it too."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

SPACES: dict[str, tuple[spaces.Space, spaces.Space]] = {
    "dict": (
        spaces.Dict(
            {
                "camera": spaces.Box(0, 255, (48, 40, 3), np.uint8),
                "position": spaces.Box(-1, 1, (2, 2), np.float64),
                "room": spaces.Discrete(3, start=1),
            }
        ),
        spaces.Discrete(3, start=-1),
    ),
    "nested": (
        spaces.Dict(
            {
                "a": spaces.Tuple((spaces.Box(-1, 1, (), np.float32), spaces.MultiBinary((2, 2)))),
                "b": spaces.Dict({"c": spaces.MultiDiscrete([2, 3], start=[1, 0])}),
            }
        ),
        spaces.MultiDiscrete([[2, 3]], start=[[1, 0]]),
    ),
    "bits": (spaces.Discrete(4), spaces.MultiBinary((2, 2))),
    "chw": (
        spaces.Box(0, 1, (1, 40, 48), np.float32),
        spaces.Box(np.array([[0.0], [-3.0]]), np.array([[1.0], [5.0]]), dtype=np.float64),
    ),
    "grey": (spaces.Box(0, 200, (40, 48), np.int64), spaces.Box(-np.inf, np.inf, (2,), np.float32)),
    "whole": (spaces.Box(-1, 1, (2,)), spaces.Box(-2, 3, (2,), np.int32)),
    "text": (spaces.Text(5), spaces.Discrete(2)),
    "graph_actions": (spaces.Box(-1, 1, (2,)), spaces.Dict({"a": spaces.Discrete(2)})),
}


class SpacesEnv(gymnasium.Env):
    """Samples its observations; takes only actions of its own space and remembers the last; five steps long.

    Args:
        spaces_of: One of `SPACES`.
        fault: What it does wrong at its second step.
    """

    actions: list[Any]

    def __init__(self, spaces_of: str = "dict", fault: str = "") -> None:
        self.observation_space, self.action_space = deepcopy(SPACES[spaces_of])  # a space draws numbers of its own
        self._fault, self.actions, self._steps, self._episode = fault, [], 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self._steps, self._episode = 0, self._episode + 1
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), f"{action!r} is not of {self.action_space}"
        self.actions.append(action)
        self._steps += 1
        observation, reward = self.observation_space.sample(), float(self._steps)
        info = {"is_success": self._episode % 2 == 0, "tiles": np.float32(self._steps), "word": "x"}
        if self._steps == 2 and self._fault:
            return self._wrong(observation, reward, info)
        return observation, reward, self._steps == 5, False, info

    def _wrong(self, observation: Any, reward: Any, info: dict[str, Any]) -> Any:
        ends = False
        match self._fault:
            case "nan":
                observation = np.full_like(observation, np.nan)
            case "shape":
                observation = observation[:1]
            case "dtype":
                observation = observation.astype(str)
            case "reward":
                reward = float("inf")
            case "old":
                return observation, reward, False, info
            case "raises":
                raise LookupError("the physics exploded")
            case "word":
                ends, info = True, {"tiles": "many"}
        return observation, reward, ends, False, info


class Reversed(gymnasium.ObservationWrapper):
    """Shows vectors from behind, ``times`` times."""

    def __init__(self, env: gymnasium.Env, times: int = 1) -> None:
        super().__init__(env)
        self._times = times

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return observation[::-1] if self._times % 2 else observation


def breaks(env: gymnasium.Env) -> gymnasium.Env:
    raise ValueError("wraps nothing")


def no_env(env: gymnasium.Env) -> int:
    return 3


gymnasium.register("harness_tests/Spaces-v0", SpacesEnv, max_episode_steps=None)
