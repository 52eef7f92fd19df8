"""What the agent sees of MiniGrid's observation, a dictionary of view, direction and mission.

MiniGrid gives three numbers for each of 7 x 7 cells, column by column: the kind of object, its colour and its state.
Here the channels come first, then rows and columns: the agent stands in the middle of the last row and looks up.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from harness.environments.envpool import ObservationConverter
from harness_minigrid.config import MiniGridConfig
from harness_minigrid.missions import MISSION_SIZE, MissionEncoder

KINDS, COLOURS, STATES, DIRECTIONS = 11, 6, 3, 4
CHANNELS = KINDS + COLOURS + STATES
SIDE = 7

NETWORK_RANGE: Mapping[str, tuple[float, float]] = {"onehot": (0.0, 1.0), "flat": (0.0, 1.0), "image": (0.0, 10 / 255)}
"""The smallest and the largest number that a network can get of each kind of view: bytes are divided by 255, and by nothing
else; vectors come as they are."""

_GROUP_OF_CHANNEL = np.repeat(np.arange(3), (KINDS, COLOURS, STATES))
_VALUE_OF_BYTE = np.concatenate([np.arange(n, dtype=np.uint8) for n in (KINDS, COLOURS, STATES)]).repeat(SIDE**2)


def observation_converter(config: MiniGridConfig) -> ObservationConverter:
    """The view that the configuration asks for."""
    if config.observation == "flat":
        return FlatObservations(direction=config.direction, mission=config.mission == "words")
    return (OneHotImage if config.observation == "onehot" else IntegerImage)(direction=config.direction)


class _ImageObservations(ObservationConverter):
    """Channel-first images of cells.

    Args:
        channels: Number of channels of the cells.
        direction_channels: Further channels for the direction, if it is seen.
        direction: Whether it is.
    """

    def __init__(self, channels: int, direction_channels: int, *, direction: bool) -> None:
        self._direction = direction
        self.frame_channels = channels + direction_channels * direction
        self.space = spaces.Box(0, 255, (self.frame_channels, SIDE, SIDE), np.uint8)

    def __call__(self, batch: dict[str, Any]) -> np.ndarray:
        """The images uint8 ``(n, channels, 7, 7)``."""
        cells = self._cells(batch["image"])
        if not self._direction:
            return cells
        planes = self._direction_planes(batch["direction"].reshape(-1))[:, :, None, None]
        return np.concatenate([cells, np.broadcast_to(planes, (*planes.shape[:2], SIDE, SIDE))], axis=1, dtype=np.uint8)

    @abstractmethod
    def _cells(self, numbers: np.ndarray) -> np.ndarray:
        """From MiniGrid's numbers ``(n, column, row, 3)`` to channels ``(n, channels, row, column)``."""

    @abstractmethod
    def _direction_planes(self, directions: np.ndarray) -> np.ndarray:
        """From directions ``(n,)`` to what each channel is filled with, ``(n, direction_channels)``."""


class OneHotImage(_ImageObservations):
    """255 where the channel's kind, colour or state is, 0 elsewhere: learners that divide bytes by 255 see ones and zeros."""

    def __init__(self, *, direction: bool) -> None:
        super().__init__(CHANNELS, DIRECTIONS, direction=direction)

    def _cells(self, numbers: np.ndarray) -> np.ndarray:
        # Channels come first in memory too: convolutions add up in another order where they do not lie so, and checkpoints do
        # not keep how arrays lie. One comparison of long rows is twice as fast as one for each of the three groups.
        repeated = numbers.transpose(0, 3, 2, 1).take(_GROUP_OF_CHANNEL, axis=1)
        cells = (repeated.reshape(len(numbers), -1) == _VALUE_OF_BYTE).view(np.uint8)
        np.negative(cells, out=cells)  # the bytes of true are 1, whose negative is 255
        return cells.reshape(-1, CHANNELS, SIDE, SIDE)

    def _direction_planes(self, directions: np.ndarray) -> np.ndarray:
        return (directions[:, None] == np.arange(DIRECTIONS)) * np.uint8(255)


class IntegerImage(_ImageObservations):
    """MiniGrid's numbers as they are, from 0 to 10."""

    def __init__(self, *, direction: bool) -> None:
        super().__init__(3, 1, direction=direction)

    def _cells(self, numbers: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(numbers.transpose(0, 3, 2, 1))

    def _direction_planes(self, directions: np.ndarray) -> np.ndarray:
        return directions[:, None].astype(np.uint8)


class FlatObservations(ObservationConverter):
    """What `OneHotImage` shows as one float32 vector of ones and zeros; then, if asked for, the direction and the mission.

    Args:
        direction: Whether the compass direction is seen.
        mission: Whether the mission is.
    """

    def __init__(self, *, direction: bool, mission: bool) -> None:
        self._cells, self._direction = OneHotImage(direction=False), direction
        self._missions = MissionEncoder() if mission else None
        size = CHANNELS * SIDE**2 + DIRECTIONS * direction + MISSION_SIZE * mission
        self.space = spaces.Box(0.0, 1.0, (size,), np.float32)

    def __call__(self, batch: dict[str, Any]) -> np.ndarray:
        """The vectors float32 ``(n, size)``."""
        cells = self._cells(batch)
        parts = [(cells.reshape(len(cells), -1) > 0).astype(np.float32)]
        if self._direction:
            parts.append((batch["direction"].reshape(-1, 1) == np.arange(DIRECTIONS)).astype(np.float32))
        if self._missions:
            parts.append(self._missions(batch["mission"]))
        return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
