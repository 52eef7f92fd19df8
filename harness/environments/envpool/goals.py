"""Rewards for reaching a goal and for nothing else, whatever the environment's own are."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.environments.envpool.pool import Pool


class SuccessRewards:
    """A pool in which a step with success earns 1 and any other step nothing.

    Args:
        pool: Whose info says which steps succeed.
        key: Where it says so: above 0 is success.
        ends: Whether success ends the episode, so that its return is 1 or 0. If not, every step with success earns 1.
    """

    def __init__(self, pool: Pool, key: str, *, ends: bool) -> None:
        self._pool, self._key, self._ends = pool, key, ends

    def send(self, action: np.ndarray, env_id: np.ndarray) -> None:
        """Begin a step."""
        self._pool.send(action, env_id)

    def recv(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Finish it."""
        observations, _, terminated, truncated, info = self._pool.recv()
        success = np.asarray(info[self._key]) > 0
        ended = terminated | success if self._ends else terminated
        return observations, success.astype(np.float32), ended, truncated, info

    def reset(self, env_id: np.ndarray) -> tuple[Any, dict[str, Any]]:
        """Begin new episodes, in the middle of others too."""
        return self._pool.reset(env_id)

    def render(self, env_id: np.ndarray, side: int) -> np.ndarray:
        """Pictures of the environments ``env_id``."""
        return self._pool.render(env_id, side)
