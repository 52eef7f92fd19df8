"""A network that follows another slowly."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn


class MovingAverage(nn.Module):
    """The exponential moving average of a network's parameters: ``average <- decay * average + (1 - decay) * network``.

    Buffers are copied as they are. The average starts as the network's copy and never gets a gradient.

    Args:
        network: What is followed; not kept.
        decay: Share of itself that the average keeps in each step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.average = copy.deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step towards the network."""
        for average_value, network_value in zip(self.average.parameters(), network.parameters(), strict=True):
            average_value.lerp_(network_value, 1 - self.decay)
        for average_value, network_value in zip(self.average.buffers(), network.buffers(), strict=True):
            average_value.copy_(network_value)

    @torch.no_grad()
    def forward(self, *inputs: Any) -> Any:
        """What the average gives, without gradient."""
        return self.average(*inputs)
