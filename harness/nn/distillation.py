"""Distillation of a target network by a predictor, whose error is the bonus of RND, SND and their relatives."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DistillationPair(nn.Module):
    """A target network and the predictor that learns to match it; no gradient of the distillation reaches the target.

    Args:
        target: Maps ``(B, *shape)`` to ``(B, D)``.
        predictor: Network of the same inputs and outputs, with weights of its own.
        frozen: Whether the target never learns (RND). If not (SND), its own loss may train it.
    """

    def __init__(self, target: nn.Module, predictor: nn.Module, *, frozen: bool = True) -> None:
        super().__init__()
        self.target = target.requires_grad_(not frozen)
        self.predictor = predictor

    def squared_error(self, inputs: Tensor, features: Tensor | None = None) -> Tensor:
        """Squared difference per feature, ``(B, D)``; the gradient flows into the predictor alone.

        Args:
            inputs: A batch of inputs of both networks, ``(B, *shape)``.
            features: The target's features of the inputs, ``(B, D)``, where they are known already.
        """
        with torch.no_grad():
            fixed = self.target(inputs) if features is None else features.detach()
        return (self.predictor(inputs) - fixed).square()


def masked_mean(values: Tensor, keep: Tensor | None = None) -> Tensor:
    """Mean of the values where ``keep`` is true, of all without it; 0 with zero gradients when nothing is kept."""
    if keep is None:
        return values.sum() / max(values.numel(), 1)
    return (values * keep).sum() / keep.sum().clamp(min=1)
