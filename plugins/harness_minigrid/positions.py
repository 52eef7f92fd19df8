"""Where agents are in MiniGrid's worlds."""

from __future__ import annotations

import numpy as np

from harness.environments.places import PlaceMap

_LARGEST = 25

MAP = PlaceMap(_LARGEST, _LARGEST)
"""The largest of MiniGrid's worlds, which begin in the upper left corner. Walls are others in every episode."""


def cells(positions: np.ndarray) -> np.ndarray:
    """The cell of `MAP` that each agent is in, int64 ``(n,)``.

    Args:
        positions: Columns and rows, ``(n, 2)``.
    """
    return MAP.number(positions[:, 1], positions[:, 0])
