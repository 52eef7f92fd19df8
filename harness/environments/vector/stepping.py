"""Steps some of a batch's environments, one after the other, and writes to shared arrays what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from harness.environments.vector.shared_arrays import SharedArrays

EnvFactory = Callable[[], gymnasium.Env[np.ndarray, Any]]


class Stepper:
    """Environments ``first``, ``first + 1``, ... of a batch.

    Args:
        factories: Functions that make one environment each.
        first: The row of the first one.
        arrays: The arrays of the whole batch.
        metrics: Names of the measurements in the last info of an episode, in the order of their columns.
    """

    def __init__(self, factories: Sequence[EnvFactory], first: int, arrays: SharedArrays, metrics: Sequence[str]) -> None:
        self._envs = [make() for make in factories]
        self._first, self._arrays, self._metrics = first, arrays, metrics

    def reset(self) -> None:
        """Begin a new episode everywhere, with the shared seeds."""
        for row, env in enumerate(self._envs, self._first):
            seed = int(self._arrays.seeds[row])
            self._arrays.observations[row], _ = env.reset(seed=None if seed < 0 else seed)

    def step(self) -> None:
        """Do the shared actions; where an episode ends, begin the next one."""
        arrays = self._arrays
        for row, env in enumerate(self._envs, self._first):
            action = arrays.actions[row]
            observation, reward, terminated, truncated, info = env.step(action.copy() if action.shape else int(action))
            arrays.rewards[row], arrays.terminated[row], arrays.truncated[row] = float(reward), terminated, truncated
            if terminated or truncated:
                arrays.last_observations[row] = observation
                arrays.metrics[row] = [info["metrics"][name] for name in self._metrics]
                observation, _ = env.reset()
            arrays.observations[row] = observation

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs:
            env.close()
