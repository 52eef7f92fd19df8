"""What a task measures of an episode beside its return, for families that step many environments at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


class EpisodeMetrics(Protocol):
    """Follows the running episodes of N environments. All calls are for many environments; only `metrics` is for one."""

    def begin(self, envs: np.ndarray, observations: Any, info: Mapping[str, Any]) -> None:
        """Forget what these environments have done: they have begun a new episode.

        Args:
            envs: Their indices, ``(n,)``.
            observations: Their first observations as the family's engine gives them, n rows.
            info: What the engine says beside, n rows.
        """

    def step(self, observations: Any, rewards: np.ndarray, info: Mapping[str, Any]) -> None:
        """Take in a step of all N environments; where it ended an episode, observations are the last ones.

        Args:
            observations: As the family's engine gives them, N rows.
            rewards: The environments' own, ``(N,)``.
            info: What the engine says beside, N rows.
        """

    def metrics(self, env: int) -> dict[str, float]:
        """The metrics of that environment's running episode."""
        ...


class FirstRewardMetrics:
    """Whether and when an episode finds a reward, for tasks that reward nothing until the goal is reached.

    * ``success``: 1 if some step earned a positive reward, else 0;
    * ``time_to_first_reward``: the number of the first such step, counted from 1; the episode's length if there was none.

    Args:
        n_envs: Number of environments, N.
    """

    def __init__(self, n_envs: int) -> None:
        self._steps = np.zeros(n_envs, dtype=np.int64)
        self._first = np.zeros(n_envs, dtype=np.int64)  # 0: none yet

    def begin(self, envs: np.ndarray, observations: Any, info: Mapping[str, Any]) -> None:
        """Forget what these environments have done."""
        self._steps[envs] = self._first[envs] = 0

    def step(self, observations: Any, rewards: np.ndarray, info: Mapping[str, Any]) -> None:
        """Look for rewards."""
        self._steps += 1
        found = (self._first == 0) & (rewards > 0)
        self._first[found] = self._steps[found]

    def metrics(self, env: int) -> dict[str, float]:
        """The two metrics."""
        first = int(self._first[env])
        return {"success": float(first > 0), "time_to_first_reward": float(first or self._steps[env])}
