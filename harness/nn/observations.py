"""What novelty networks see of an observation: scaled, centred or standardised by running statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from harness.nn.moments import CumulativeMoments, RunningMoments

Mode = Literal["none", "subtract_mean", "standardise"]
Statistics = Literal["chan", "cumulative"]


class ObservationNormaliser(nn.Module):
    """Normalises observations element by element with running statistics that it keeps itself.

    * ``none``: x
    * ``subtract_mean``: x - mean
    * ``standardise``: (x - mean) / deviation, clipped to [-clip, clip]

    Images of bytes are scaled to [0, 1] first, except for ``standardise`` with statistics of samples: like OpenAI's RND it
    sees 0 to 255. The unit matters because the statistics start from a prior. Standardised values of that kind are float32
    numbers whatever the precision, as in the code of OpenAI and CleanRL.

    Args:
        shape: Shape of one observation.
        mode: One of the three above.
        clip: Bound of standardised values.
        statistics: `RunningMoments` (``chan``) or `CumulativeMoments` (``cumulative``).
    """

    def __init__(self, shape: Sequence[int], mode: Mode, *, clip: float = 5.0, statistics: Statistics = "chan") -> None:
        super().__init__()
        self.mode, self.clip = mode, clip
        self.moments: RunningMoments | CumulativeMoments | None = None
        if mode != "none":
            self.moments = RunningMoments(shape) if statistics == "chan" else CumulativeMoments(shape)

    def update(self, observations: Tensor) -> None:
        """Show the statistics a batch of raw observations ``(B, *shape)``."""
        if self.moments is not None:
            self.moments.update(self._scale_bytes(observations))

    def forward(self, observations: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """What the networks see of raw observations ``(B, *shape)``, computed in ``dtype``."""
        x = self._scale_bytes(observations)
        if self.moments is None:
            return x.to(dtype)
        x = x - self.moments.mean.to(dtype)
        if self.mode == "subtract_mean":
            return x
        x = x.div_(self.moments.std.to(dtype)).clamp_(-self.clip, self.clip)
        return x.float().to(dtype) if self._keeps_byte_scale else x

    @property
    def _keeps_byte_scale(self) -> bool:
        return self.mode == "standardise" and isinstance(self.moments, RunningMoments)

    def _scale_bytes(self, observations: Tensor) -> Tensor:
        return observations / 255 if observations.dtype == torch.uint8 and not self._keeps_byte_scale else observations
