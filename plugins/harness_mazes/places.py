"""The map of a maze that reports draw: its cells in parts, so that one sees how the body moved in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.environments.places import PlaceMap, Places
from harness_mazes.maps import WALL, Maze

_PARTS = 4
"""Parts of a cell's side."""


def maze_places(maze: Maze, positions: Callable[[Any], np.ndarray]) -> Places:
    """The parts of a maze's cells.

    Args:
        maze: Seen from above, its middle at the origin.
        positions: Function from observations to x and y in units of a cell, ``(n, 2)``.
    """
    is_wall = np.array([[cell == WALL for cell in row] for row in maze.rows])
    height, width = is_wall.shape
    walls = is_wall.repeat(_PARTS, axis=0).repeat(_PARTS, axis=1)
    edges = {"row_range": (height / 2, -height / 2), "column_range": (-width / 2, width / 2)}
    place_map = PlaceMap(height * _PARTS, width * _PARTS, "y", "x", walls=walls, **edges)

    def locate(observations: Any, info: Any) -> np.ndarray:
        parts = np.floor((positions(observations) * (1, -1) + (width / 2, height / 2)) * _PARTS).astype(np.int64)
        return place_map.number(parts[:, 1], parts[:, 0])

    return Places(place_map, locate)
