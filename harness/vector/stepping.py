"""Steps some of a batch's environments, one after the other, and writes to the board what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from harness.vector.board import Board

Maker = Callable[[], gymnasium.Env[np.ndarray, Any]]


class Stepper:
    """Environments ``first``, ``first + 1``, ... of a batch.

    Args:
        makers: Make them.
        first: The row of the first one.
        board: The arrays of the whole batch.
        metrics: Names of what the last info of an episode tells, in the order of the board's columns.
    """

    def __init__(self, makers: Sequence[Maker], first: int, board: Board, metrics: Sequence[str]) -> None:
        self._envs = [make() for make in makers]
        self._first, self._board, self._metrics = first, board, metrics

    def reset(self) -> None:
        """Begin a new episode everywhere, with the board's seeds."""
        for row, env in enumerate(self._envs, self._first):
            seed = int(self._board.seeds[row])
            self._board.observations[row], _ = env.reset(seed=None if seed < 0 else seed)

    def step(self) -> None:
        """Do the board's actions; where an episode ends, begin the next one."""
        board = self._board
        for row, env in enumerate(self._envs, self._first):
            action = board.actions[row]
            observation, reward, terminated, truncated, info = env.step(action.copy() if action.shape else int(action))
            board.rewards[row], board.terminated[row], board.truncated[row] = float(reward), terminated, truncated
            if terminated or truncated:
                board.last_observations[row] = observation
                board.metrics[row] = [info["metrics"][name] for name in self._metrics]
                observation, _ = env.reset()
            board.observations[row] = observation

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs:
            env.close()
