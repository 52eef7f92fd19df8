"""An embedding, and the models of what actions do to it by which it learns (Pathak et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn

from harness.nn.actions import ActionCodec
from harness.nn.layers import mlp, orthogonal


class Dynamics(nn.Module):
    """Embedding, inverse model, and forward model if one is wanted; registered in this order.

    Args:
        encoder: Maps float states to embedded ones, ``(B, dim)``.
        dim: Numbers of an embedded state.
        actions: How actions are coded.
        inverse_hidden: Units of the inverse model's hidden layer, ReLU after it.
        forward_hidden: Units of the forward model's hidden layer; ``None`` for no such model.
        bounded: Whether tanh bounds what the inverse model guesses of boxes.
        gain: Gain of the orthogonal initialisation of hidden layers; that of the last ones is 1.
        generator: Draws the initial weights.
    """

    def __init__(
        self,
        encoder: nn.Module,
        dim: int,
        actions: ActionCodec,
        *,
        inverse_hidden: int,
        forward_hidden: int | None = None,
        bounded: bool = False,
        gain: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.actions = actions
        self.embedding = encoder
        self.inverse_model = _two_layers([2 * dim, inverse_hidden, actions.width], gain, generator)
        if bounded and not actions.discrete:
            self.inverse_model.append(nn.Tanh())
        self.forward_model = None
        if forward_hidden is not None:
            self.forward_model = _two_layers([dim + actions.width, forward_hidden, dim], gain, generator)

    def forward(self, states: Tensor) -> Tensor:
        """Embedded states, ``(B, dim)``."""
        return self.embedding(states)

    def guess(self, embedded: Tensor, next_embedded: Tensor) -> Tensor:
        """The inverse model's guess of the action: logits, or the numbers of a box, ``(B, width)``."""
        return self.inverse_model(torch.cat([embedded, next_embedded], 1))

    def forward_errors(
        self, embedded: Tensor, actions: Tensor, next_embedded: Tensor, measure: Literal["norm", "mean"]
    ) -> Tensor:
        """Error of the predicted next embedding, ``(B,)``: Euclidean norm, or mean of squares; its gradient reaches both."""
        assert self.forward_model is not None
        predicted = self.forward_model(torch.cat([embedded, self.actions.encode(actions, embedded.dtype)], 1))
        difference = predicted - next_embedded
        return cast(Tensor, torch.linalg.vector_norm(difference, dim=1)) if measure == "norm" else difference.square().mean(1)


def _two_layers(widths: Sequence[int], gain: float, generator: torch.Generator) -> nn.Sequential:
    layers = orthogonal(mlp(widths), gain, generator)
    orthogonal(layers[-1], 1.0, generator)
    return layers
