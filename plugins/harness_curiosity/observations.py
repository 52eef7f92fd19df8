"""Observations scaled by what random play looked like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor, nn

from harness.nn.moments import RunningMoments
from harness.nn.observations import ObservationNormaliser
from harness_curiosity.config import CuriosityConfig

Mode = Literal["none", "random_play", "standardise"]


class RandomPlayNormaliser(nn.Module):
    """(x - mean) / deviation: a mean for each element, and one deviation, the mean over elements (Burda et al. 2018).

    Bytes are taken as they are, 0 to 255. Before anything was seen the mean is 0 and the deviation 1.

    Args:
        shape: Shape of one observation.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.moments = RunningMoments(shape)

    def update(self, observations: Tensor) -> None:
        """Show the statistics a batch of raw observations ``(B, *shape)``."""
        self.moments.update(observations)

    def forward(self, observations: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """What the networks see of raw observations ``(B, *shape)``, computed in ``dtype``."""
        return (observations.to(dtype) - self.moments.mean.to(dtype)) / self.moments.std.mean().to(dtype)


def resolve_mode(config: CuriosityConfig, space: gym_spaces.Space[Any]) -> Mode:
    """What ``observation_normalisation`` means for such observations."""
    if config.observation_normalisation != "auto":
        return config.observation_normalisation
    return "none" if in_unit_interval(space) else "standardise"


def in_unit_interval(space: gym_spaces.Space[Any]) -> bool:
    """Whether what networks see of such observations as they are is in [0, 1]: images of bytes, or a box with such bounds."""
    if not isinstance(space, gym_spaces.Box):
        return False
    return space.dtype == np.uint8 or bool((space.low >= 0).all() and (space.high <= 1).all())


def build_normaliser(mode: Mode, shape: Sequence[int], clip: float) -> ObservationNormaliser | RandomPlayNormaliser:
    """What scales observations.

    Args:
        mode: What `resolve_mode` gave.
        shape: Shape of one observation.
        clip: Bound of standardised values.
    """
    return RandomPlayNormaliser(shape) if mode == "random_play" else ObservationNormaliser(shape, mode, clip=clip)
