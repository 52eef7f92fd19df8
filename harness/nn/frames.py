"""Which frames of an observation a method looks at."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from harness.errors import UserError


class FrameSelector:
    """Picks the newest frame of stacked images, or everything.

    Args:
        space: Space of one observation.
        frame_channels: Channels of one frame of a stack of images; ``None`` when observations are not images.
        frames: Whether the ``newest`` frame alone or ``all`` of a stack is looked at; no effect without images.

    Attributes:
        shape: Shape of one observation as it is looked at.

    Raises:
        UserError: When observations are not a box of numbers.
    """

    def __init__(self, space: spaces.Space[Any], frame_channels: int | None, frames: Literal["newest", "all"]) -> None:
        if not isinstance(space, spaces.Box):
            raise UserError(f"this method needs observations that are a Box of numbers, not {type(space).__name__}")
        self._channels = frame_channels if frames == "newest" else None
        self.shape = space.shape if self._channels is None else (self._channels, *space.shape[1:])

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """The newest frame ``(B, frame_channels, H, W)`` of stacked images ``(B, C, H, W)``, or everything."""
        return observations if self._channels is None else observations[:, -self._channels :]
