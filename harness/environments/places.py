"""Where environments are: a map of cells that a family lays over its positions, for reports to show where methods went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_CELLS = 10_000
"""Cells of the largest map."""

NOWHERE = -1
"""The place of an environment that is on no cell of the map."""


@dataclass(frozen=True)
class PlaceMap:
    """A grid over the positions of an environment, the same for all environments of a batch and in every episode.

    Cells are numbered from 0, row by row from the top.

    Attributes:
        rows: Number of rows.
        columns: Number of columns.
        row_axis: What rows are, in a word or two, such as ``velocity``.
        column_axis: What columns are.
        row_range: The values at the upper and the lower edge; ``None`` where rows are counted.
        column_range: The values at the left and the right edge; ``None`` where columns are counted.
        walls: Where nobody can be, bool ``(rows, columns)``; ``None`` where that is nowhere, or changes from episode to
            episode.
    """

    rows: int
    columns: int
    row_axis: str = "row"
    column_axis: str = "column"
    row_range: tuple[float, float] | None = None
    column_range: tuple[float, float] | None = None
    walls: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1 or self.rows * self.columns > MAX_CELLS:
            raise ValueError(f"a map has from 1 to {MAX_CELLS:,} cells, not {self.rows} x {self.columns}")
        if self.walls is not None and (self.walls.shape != (self.rows, self.columns) or self.walls.dtype != np.bool_):
            raise ValueError(f"walls are bool ({self.rows}, {self.columns}), not {self.walls.dtype} {self.walls.shape}")

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.rows * self.columns

    def number(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The number of each cell, int64 ``(n,)``; `NOWHERE` for those beyond the map.

        Args:
            rows: Rows from the top, whole numbers ``(n,)``.
            columns: Columns from the left, whole numbers ``(n,)``.
        """
        inside = (rows >= 0) & (rows < self.rows) & (columns >= 0) & (columns < self.columns)
        return np.where(inside, rows * np.int64(self.columns) + columns, NOWHERE)


@dataclass(frozen=True)
class Places:
    """A map, and how a batch is found on it.

    Attributes:
        map: Map of all places.
        locate: Function from the observations of n environments and what their engine says beside, n rows of each, to the
            numbers of their cells, int64 ``(n,)``, `NOWHERE` for none.
    """

    map: PlaceMap
    locate: Callable[[Any, Mapping[str, Any]], np.ndarray]
