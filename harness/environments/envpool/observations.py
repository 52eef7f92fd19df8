"""How EnvPool's observations become the arrays that a policy sees: explicitly, with nothing resized and nothing guessed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, cast

import numpy as np
from gymnasium import spaces


class ObservationConverter(ABC):
    """Turns a batch as EnvPool gives it into one array that the caller may keep and write to.

    Attributes:
        space: Space of one environment's observations as the agent sees them.
        frame_channels: Channels of one frame of a stack of images; ``None`` when observations are not images.
    """

    space: spaces.Box
    frame_channels: int | None = None

    @abstractmethod
    def __call__(self, batch: Any) -> np.ndarray:
        """The observations ``(n, *space.shape)`` of a batch of n environments."""


class Images(ObservationConverter):
    """Channel-first uint8 images, as they are.

    Args:
        space: EnvPool's, a uint8 box of ``(channels, height, width)``.
        frame_channels: Channels of one frame of a stack.

    Raises:
        TypeError: The space is something else.
    """

    def __init__(self, space: spaces.Space[Any], frame_channels: int) -> None:
        if not isinstance(space, spaces.Box) or space.dtype != np.uint8 or len(space.shape) != 3:
            raise TypeError(f"images need a uint8 Box of (channels, height, width), not {space}")
        if space.shape[0] % frame_channels:
            raise TypeError(f"{space.shape[0]} channels are no whole number of frames of {frame_channels}")
        self.space, self.frame_channels = spaces.Box(0, 255, space.shape, np.uint8), frame_channels

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """The batch itself: EnvPool allocates a new one for every step."""
        return batch


class Vectors(ObservationConverter):
    """Boxes of numbers as flat float32 vectors.

    Bounds are left out: those that EnvPool declares for MuJoCo begin at the smallest positive double instead of the lowest.

    Args:
        space: EnvPool's, a box of any shape.

    Raises:
        TypeError: The space is no box.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        if not isinstance(space, spaces.Box):
            raise TypeError(f"vectors need a Box, not {space}")
        self.space = _vector(prod(space.shape))

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """One row for each environment."""
        return batch.reshape(len(batch), -1).astype(np.float32, copy=False)


class FlattenedDict(ObservationConverter):
    """Dictionaries of number boxes as one float32 vector: the named parts one after the other, each flattened row by row.

    Args:
        space: EnvPool's, a dictionary that may hold other parts too.
        names: The parts in their order in the vector; dots lead into nested dictionaries. All of them, as EnvPool orders
            them, by default.

    Attributes:
        slices: Where each named part lies in the vector.

    Raises:
        TypeError: The space is no dictionary, or a part is no box.
        KeyError: There is no part of that name.
    """

    def __init__(self, space: spaces.Space[Any], names: Sequence[str] = ()) -> None:
        boxes = dict(_boxes(space))
        if missing := [name for name in names if name not in boxes]:
            raise KeyError(f"no part {missing[0]!r} among {', '.join(boxes)}")
        self.slices: dict[str, slice] = {}
        end = 0
        for name in names or boxes:
            begin, end = end, end + prod(boxes[name].shape)
            self.slices[name] = slice(begin, end)
        self.space = _vector(end)

    @property
    def names(self) -> tuple[str, ...]:
        """The parts in their order in the vector."""
        return tuple(self.slices)

    def __call__(self, batch: dict[str, Any]) -> np.ndarray:
        """One row for each environment, float32 ``(n, size)``."""
        parts = [_part(batch, name) for name in self.slices]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1, dtype=np.float32)


def _vector(size: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (size,), np.float32)


def _boxes(space: spaces.Space[Any], prefix: str = "") -> list[tuple[str, spaces.Box]]:
    """The boxes of a dictionary by dotted name, in its order."""
    if isinstance(space, spaces.Box):
        return [(prefix[:-1], space)]
    if not isinstance(space, spaces.Dict):
        raise TypeError(f"{prefix[:-1] or 'observations'}: a dictionary of boxes is needed, not {space}")
    return [
        found
        for name, part in cast(dict[str, spaces.Space[Any]], space.spaces).items()
        for found in _boxes(part, f"{prefix}{name}.")
    ]


def _part(batch: Any, name: str) -> np.ndarray:
    for key in name.split("."):
        batch = batch[key]
    return batch
