"""Remembering what was computed last, for as long as it is sure to be what would be computed again."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Memo:
    """What was computed of a batch, for whoever asks for it again; keeps the batch alive no longer.

    Attributes:
        output: What was computed.
        batch: What it was computed of.
        versions: How often the batch, and the parameters that had a part in it, had been written to.
    """

    output: Tensor
    batch: weakref.ref[Tensor]
    versions: tuple[int, ...]

    @classmethod
    def of(cls, output: Tensor, batch: Tensor, *networks: nn.Module) -> Memo:
        """Remember what has just been computed of the batch.

        Args:
            output: What is to be remembered.
            batch: The tensor by which it will be asked for.
            networks: Those whose learning makes it out of date; none for what belongs to the moment at which it was computed.
        """
        return cls(output, weakref.ref(batch), _versions(batch, networks))

    def is_valid_for(self, batch: Tensor, *networks: nn.Module) -> bool:
        """Whether this very tensor is asked for, and neither it nor the networks have changed."""
        return self.batch() is batch and self.versions == _versions(batch, networks)


def _versions(batch: Tensor, networks: tuple[nn.Module, ...]) -> tuple[int, ...]:
    return (batch._version, *(parameter._version for network in networks for parameter in network.parameters()))
