"""Steps some of a batch's environments, one after the other, and writes to shared arrays what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from harness.environments.vector.shared_arrays import SharedArrays
from harness.errors import RunError

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
            observation, _ = env.reset(seed=None if seed < 0 else seed)
            self._store(self._arrays.observations, row, observation)

    def step(self) -> None:
        """Do the shared actions; where an episode ends, begin the next one."""
        arrays = self._arrays
        for row, env in enumerate(self._envs, self._first):
            action = arrays.actions[row]
            observation, reward, terminated, truncated, info = env.step(action.copy() if action.shape else int(action))
            arrays.rewards[row], arrays.terminated[row], arrays.truncated[row] = float(reward), terminated, truncated
            if terminated or truncated:
                self._store(arrays.last_observations, row, observation)
                arrays.metrics[row] = [info["metrics"][name] for name in self._metrics]
                observation, _ = env.reset()
            self._store(arrays.observations, row, observation)

    def _store(self, arrays: np.ndarray, row: int, observation: Any) -> None:
        """Keep an observation, which NumPy would stretch to the declared shape or cut to whole numbers without a word."""
        given, shape, dtype = np.asarray(observation), arrays.shape[1:], arrays.dtype
        if given.dtype != dtype and not np.can_cast(given.dtype, dtype, "same_kind"):
            raise RunError(f"environment {row} returned an observation of {given.dtype}, declared is {dtype}")
        if given.shape != shape:
            raise RunError(f"environment {row} returned an observation of shape {given.shape}, declared is {shape}")
        arrays[row] = given

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs:
            env.close()
