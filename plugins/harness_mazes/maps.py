"""The mazes of D4RL and gymnasium-robotics as plain data.

Tests hold the maps equal to gymnasium-robotics'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WALL = "#"


@dataclass(frozen=True)
class Maze:
    """A maze seen from above; its middle is the origin, rows go down, and one cell is one unit wide.

    Attributes:
        rows: Rows of the map, of ``#`` for wall and ``.`` for floor.
        point_steps: Steps of an episode that gymnasium-robotics gives a ball.
        ant_steps: And an ant.
    """

    rows: tuple[str, ...]
    point_steps: int
    ant_steps: int

    @property
    def start(self) -> tuple[int, int]:
        """Row and column of the first free cell, in the upper left corner of all mazes."""
        return self.free[0]

    @property
    def goal(self) -> tuple[int, int]:
        """Row and column of the free cell whose way from the start is the longest."""
        distance, frontier = {self.start: 0}, [self.start]
        while frontier:
            row, column = frontier.pop(0)
            for cell in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                if cell in self.free and cell not in distance:
                    distance[cell] = distance[row, column] + 1
                    frontier.append(cell)
        return max(distance, key=distance.__getitem__)

    @property
    def free(self) -> list[tuple[int, int]]:
        """Rows and columns of the cells that are not walls."""
        return [(i, j) for i, row in enumerate(self.rows) for j, cell in enumerate(row) if cell != WALL]

    @property
    def grid(self) -> list[list[str | int]]:
        """The map that gymnasium-robotics takes: 1 for wall, 0 for floor."""
        return [[int(cell == WALL) for cell in row] for row in self.rows]


MAZES: Mapping[str, Maze] = {
    "umaze": Maze(("#####", "#...#", "###.#", "#...#", "#####"), 300, 700),
    "medium": Maze(
        ("########", "#..##..#", "#..#...#", "##...###", "#..#...#", "#.#..#.#", "#...#..#", "########"), 600, 1000
    ),
    "large": Maze(
        (
            "############",
            "#....#.....#",
            "#.##.#.#.#.#",
            "#......#...#",
            "#.####.###.#",
            "#..#.#.....#",
            "##.#.#.#.###",
            "#..#...#...#",
            "############",
        ),
        800,
        1000,
    ),
}
"""The mazes by the name that tasks end with."""
