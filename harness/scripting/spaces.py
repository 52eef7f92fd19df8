"""What environments of any Stable-Baselines3 script look like to a method."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from gymnasium import spaces as gym_spaces
from stable_baselines3.common import preprocessing
from stable_baselines3.common.vec_env import VecTransposeImage

from harness.errors import UserError
from harness.rewards import Spaces


def method_spaces(
    observation_space: gym_spaces.Space[Any], action_space: gym_spaces.Space[Any], frame_channels: int | None = None
) -> Spaces:
    """The spaces that a method is built for, as `harness.add_bonus` and `harness.relabel` show them to it.

    Images are what Stable-Baselines3 takes for images: uint8 boxes of three axes from 0 to 255. Like there, the smallest axis
    is that of the channels, and images are shown channel-first. Other boxes are shown as they are, with numbers as float32.

    Args:
        observation_space: Space of one environment's observations.
        action_space: Space of one environment's actions.
        frame_channels: Channels of one frame of a stack of images, newest frame last; ``None`` for images that are one frame.

    Raises:
        UserError: Observations are several arrays, no axis of an image is clearly that of its channels, or
            ``frame_channels`` does not fit.
    """
    if isinstance(observation_space, gym_spaces.Dict | gym_spaces.Tuple):
        kind = type(cast(object, observation_space)).__name__
        raise UserError(
            f"a method needs observations that are one array, and these are a {kind}: flatten "
            "them first, for example with gymnasium.wrappers.FlattenObservation, or pick one entry"
        )
    if not is_image(observation_space):
        if frame_channels is not None:
            raise UserError(
                f"frame_channels is for images, which are uint8 boxes of three axes from 0 to 255, not {observation_space}"
            )
        return Spaces(float32_space(observation_space), action_space)
    shape = observation_space.shape
    assert shape is not None
    if channels_axis(shape) == 2:
        assert isinstance(observation_space, gym_spaces.Box)
        box = cast(gym_spaces.Box, observation_space)
        observation_space = VecTransposeImage.transpose_space(box)
    return Spaces(observation_space, action_space, _frame_channels(min(shape), frame_channels))


def is_image(space: gym_spaces.Space[Any]) -> bool:
    """Whether Stable-Baselines3 takes observations for images."""
    return preprocessing.is_image_space(space)


def channels_axis(shape: tuple[int, ...]) -> int:
    """0 for channel-first images, 2 for channel-last ones; the smallest axis is that of the channels.

    Raises:
        UserError: Neither the first nor the last axis is smaller than both others.
    """
    first, middle, last = shape
    if first < min(middle, last):
        return 0
    if last < min(first, middle):
        return 2
    raise UserError(
        f"which axis of images of shape {shape} is that of their channels? Like Stable-Baselines3, the harness takes the "
        "smallest one, which must be the first (channels, height, width) or the last (height, width, channels)"
    )


def float32_space(space: gym_spaces.Space[Any]) -> gym_spaces.Space[Any]:
    """Boxes of other numbers than bytes as boxes of float32, everything else as it is."""
    if not isinstance(space, gym_spaces.Box):
        return space
    box = cast(gym_spaces.Box, space)
    if box.dtype == np.uint8 or box.dtype == np.float32:  # noqa: PLR1714 - a dtype is no member of a tuple to a type checker
        return box
    return gym_spaces.Box(box.low.astype(np.float32), box.high.astype(np.float32), dtype=np.float32)


def _frame_channels(channels: int, wanted: int | None) -> int:
    if wanted is None:
        return channels
    if wanted < 1 or channels % wanted:
        raise UserError(f"frame_channels={wanted} does not divide the {channels} channels of the images into frames")
    return wanted
