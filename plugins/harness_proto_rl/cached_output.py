"""Remembering what was computed last, for as long as it is sure to be what would be computed again."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class CachedOutput:
    """What a network gave for a batch; keeps neither alive.

    Attributes:
        output: What it gave.
        batch: What it was given.
        versions: How often batch and parameters had been written to.
    """

    output: Tensor
    batch: weakref.ref[Tensor]
    versions: tuple[int, ...]

    @classmethod
    def of(cls, output: Tensor, batch: Tensor, network: nn.Module) -> CachedOutput:
        """Remember an output that the network has just given for the batch."""
        return cls(output, weakref.ref(batch), _versions(batch, network))

    def is_valid_for(self, batch: Tensor, network: nn.Module) -> bool:
        """Whether this very tensor is asked for, and neither it nor the network have changed."""
        return self.batch() is batch and self.versions == _versions(batch, network)


def _versions(batch: Tensor, network: nn.Module) -> tuple[int, ...]:
    return (batch._version, *(parameter._version for parameter in network.parameters()))
