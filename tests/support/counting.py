"""A Gymnasium environment that counts, for tests of batches; a module of its own so that processes can import it."""

from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class CountingEnv(gymnasium.Env):
    """Shows (number, episode, steps, random draw of the episode); ends after ``length`` steps, by truncation if it is even.

    Action 1 raises, action 2 kills the process.
    """

    observation_space = spaces.Box(-1, 2**20, (4,), np.float32)
    action_space = spaces.Discrete(3)

    def __init__(self, number: int) -> None:
        self._number, self._length, self._episode = number, number + 2, -1
        self.closed = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self._steps, self._episode = 0, self._episode + 1
        self._draw = int(self.np_random.integers(1000))
        return self._observation(), {}

    def step(self, action: int):
        if action == 1:
            raise LookupError("the counter is broken")
        if action == 2:
            os._exit(7)
        self._steps += 1
        over = self._steps == self._length
        even = self._number % 2 == 0
        info = {"metrics": {"steps": self._steps, "draw": self._draw}} if over else {}
        return self._observation(), float(self._steps), over and not even, over and even, info

    def _observation(self) -> np.ndarray:
        return np.array([self._number, self._episode, self._steps, self._draw], np.float32)
