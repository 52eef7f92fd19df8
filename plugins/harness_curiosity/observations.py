"""Observations scaled by what random play looked like."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.nn.moments import RunningMoments
from harness.nn.observations import ObservationNormaliser
from harness_curiosity.config import CuriosityConfig


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


def build_normaliser(config: CuriosityConfig, shape: Sequence[int]) -> ObservationNormaliser | RandomPlayNormaliser:
    """What ``observation_normalisation`` names."""
    if config.observation_normalisation == "random_play":
        return RandomPlayNormaliser(shape)
    return ObservationNormaliser(shape, config.observation_normalisation, clip=config.observation_clip)
