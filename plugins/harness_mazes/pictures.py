"""Mazes drawn from above, from what the agent sees: where it is comes first, and where its goal is last."""

from __future__ import annotations

import numpy as np

from harness_mazes.maps import WALL, Maze

_CELL_PIXELS = 24
_RADIUS = 0.3  # of agent and goal, in cells
_FLOOR, _WALLS, _GOAL, _AGENT = (244, 241, 234), (70, 74, 82), (214, 69, 65), (31, 119, 180)


def draw_maze(observation: np.ndarray, *, maze: Maze, cell_size: float) -> np.ndarray:
    """The walls, the goal in red, and the agent in blue.

    Args:
        observation: What the agent sees: its position first, its goal last, two numbers each.
        maze: The maze it is in.
        cell_size: Width of a cell in the units of positions.

    Returns:
        The picture, uint8 ``(height, width, 3)``.
    """
    is_wall = np.array([[cell == WALL for cell in row] for row in maze.rows])
    cells = np.where(is_wall[..., None], np.array(_WALLS, np.uint8), np.array(_FLOOR, np.uint8))
    picture = cells.repeat(_CELL_PIXELS, axis=0).repeat(_CELL_PIXELS, axis=1)
    rows, columns = is_wall.shape
    y, x = np.ogrid[: rows * _CELL_PIXELS, : columns * _CELL_PIXELS]
    for place, colour in ((observation[-2:], _GOAL), (observation[:2], _AGENT)):
        right, up = place / cell_size  # from the middle of the maze
        row, column = rows / 2 - up, columns / 2 + right
        inside = ((y + 0.5) / _CELL_PIXELS - row) ** 2 + ((x + 0.5) / _CELL_PIXELS - column) ** 2 <= _RADIUS**2
        picture[inside] = colour
    return picture
