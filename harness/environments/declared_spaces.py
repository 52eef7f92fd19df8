"""Whether the spaces that environments declare are such that learners and methods can take them as they are."""

from __future__ import annotations

from math import prod
from typing import Any, cast

import numpy as np
from gymnasium import spaces

WIDEST_PIXEL = 4
"""The most channels of a pixel: no image is that narrow."""

_IMAGE_SIDE = 8
"""Two axes of bytes as long as this are a picture's, or were to be flattened."""

_IMAGE_DIMENSIONS = 3


def space_problem(observation: spaces.Space[Any], action: spaces.Space[Any], frame_channels: int | None) -> str | None:
    """What is wrong with the spaces of environments, as what their class does wrong; ``None`` if nothing is.

    The sentence is for the author of the environments, whose class it goes on from: ``declares actions ..., ...``.

    Args:
        observation: Declared space of one environment's observations.
        action: Declared space of one environment's actions.
        frame_channels: Channels of one frame of stacked images; ``None`` where observations are declared as no images.
    """
    if not isinstance(observation, spaces.Box):
        kind = type(cast(object, observation)).__name__
        return f"declares observations that are a {kind}; they must be one Box: put its parts into one float32 vector"
    box = cast(spaces.Box, observation)
    return (_vector_problem(box) if frame_channels is None else image_problem(box, frame_channels)) or _action_problem(action)


def image_problem(space: spaces.Space[Any], frame_channels: int) -> str | None:
    """What keeps observations that are declared as images from being some; ``None`` if nothing does.

    Args:
        space: Declared space of the observations.
        frame_channels: Channels of one frame of a stack.
    """
    wanted = f"uint8 from 0 to 255, channels first, in whole frames of {frame_channels}"
    problem = f"declares images, which must be {wanted}; its observations are {space}"
    if not isinstance(space, spaces.Box) or len(space.shape) != _IMAGE_DIMENSIONS or space.dtype != np.uint8:
        return problem
    box = cast(spaces.Box, space)
    first, second, last = box.shape
    if prod(box.shape) == 0 or (box.low != 0).any() or (box.high != 255).any():
        return problem
    if looks_channels_last(box.shape, frame_channels):
        return (
            f"declares images of the shape {box.shape}, whose channels seem to come last; they come first: declare"
            f" ({last}, {first}, {second}) and transpose what is returned"
        )
    return None if frame_channels > 0 and first % frame_channels == 0 else problem


def looks_channels_last(shape: tuple[int, ...], frame_channels: int) -> bool:
    """Whether an image of this shape is height x width x channels, and not channels x height x width.

    Args:
        shape: The three sizes of the image.
        frame_channels: Channels of one frame of a stack.
    """
    first, second, last = shape
    if last >= min(first, second):
        return False
    return last <= WIDEST_PIXEL or (first == second and last % max(frame_channels, 1) == 0)


def _vector_problem(space: spaces.Box) -> str | None:
    if not space.shape:
        return f"declares observations of the shape (), {space}; give them a dimension: a Box of the shape (1,)"
    if prod(space.shape) == 0:
        return f"declares empty observations, {space}; there must be something to see"
    if np.dtype(space.dtype).name not in ("float32", "uint8"):
        return (
            f"declares observations of {space.dtype}, {space}; declare and return vectors of float32, or images of uint8 with"
            " frame_channels"
        )
    if space.dtype == np.uint8 and sum(side >= _IMAGE_SIDE for side in space.shape) > 1:
        return (
            f"declares observations of bytes of the shape {space.shape} and no frame_channels; for images, put the channels"
            " first and give frame_channels; for anything else, declare one flat vector"
        )
    return None


def _action_problem(space: spaces.Space[Any]) -> str | None:
    if isinstance(space, spaces.Box):
        return _box_action_problem(cast(spaces.Box, space))
    if isinstance(space, spaces.Discrete):
        shift = f"declare Discrete({space.n}) and add {space.start} to each"
        return f"declares actions {space}; learners count from 0: {shift}" if space.start else None
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        return _several_actions_problem(cast("spaces.MultiDiscrete | spaces.MultiBinary", space))
    return f"declares actions {space}, which no algorithm learns; Discrete, Box, MultiDiscrete and MultiBinary can be learnt"


def _several_actions_problem(space: spaces.MultiDiscrete | spaces.MultiBinary) -> str | None:
    if len(space.shape) != 1 or prod(space.shape) == 0:
        return f"declares actions {space}; they must have one dimension, with at least one number in it"
    if isinstance(space, spaces.MultiDiscrete) and space.start.any():
        return f"declares actions {space}; learners count from 0: declare it without 'start' and add that to each"
    return None


def _box_action_problem(space: spaces.Box) -> str | None:
    if not space.shape or prod(space.shape) == 0:
        needs = "it needs a dimension, such as (1,), and a number in it"
        return f"declares actions that are a Box of the shape {space.shape}; {needs}"
    if np.dtype(space.dtype).name not in ("float32", "float64"):
        return (
            f"declares actions that are a Box of {space.dtype}, and learners give fractions; declare float32 and round, or"
            " MultiDiscrete for whole numbers"
        )
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        return f"declares actions without bounds, {space}; declare finite ones, such as -1 and 1, and scale what is given"
    if (space.low >= space.high).any():
        return f"declares actions that leave no choice, {space}: low must be below high; leave such numbers out"
    return None
