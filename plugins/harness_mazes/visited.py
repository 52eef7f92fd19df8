"""Which cells of a maze episodes have been in."""

from __future__ import annotations

import numpy as np

from harness_mazes.maps import Maze


def cells(maze: Maze, positions: np.ndarray) -> np.ndarray:
    """The number of the cell, counted row by row, that each position is in: int64, ``(n,)``.

    Args:
        maze: Seen from above, its middle at the origin.
        positions: x and y in units of a cell, ``(n, 2)``.
    """
    height, width = len(maze.rows), len(maze.rows[0])
    columns = np.clip(np.floor(positions[:, 0] + width / 2), 0, width - 1)
    rows = np.clip(np.floor(height / 2 - positions[:, 1]), 0, height - 1)
    return (rows * width + columns).astype(np.int64)


class VisitedCells:
    """The share of the free cells that episodes have been in.

    Args:
        maze: The maze they are in.
        n_envs: Number of environments, N.
    """

    def __init__(self, maze: Maze, n_envs: int) -> None:
        self._maze, self._free = maze, len(maze.free)
        self._was_visited = np.zeros((n_envs, len(maze.rows) * len(maze.rows[0])), bool)

    def clear(self, envs: np.ndarray) -> None:
        """Begin new episodes."""
        self._was_visited[envs] = False

    def add(self, envs: np.ndarray, positions: np.ndarray) -> None:
        """Take in where each of ``envs`` is: ``(n, 2)`` in units of a cell."""
        self._was_visited[envs, cells(self._maze, positions)] = True

    def coverage(self, env: int) -> float:
        """Share of the free cells that the environment's running episode has been in."""
        return min(1.0, float(self._was_visited[env].sum() / self._free))
