"""Mixtures of normal distributions of the next latent vector, predicted by a recurrent network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from harness_curiosity.gaussians import Gaussian

MixtureKind = Literal["shared", "per_dimension"]


@dataclass(frozen=True)
class Mixture:
    """Mixtures of K normal distributions for vectors of Z numbers; leading dimensions are of any shape.

    Attributes:
        log_weights: Logarithms of the weights, ``(..., K)`` if all numbers share them, else ``(..., Z, K)``.
        components: Means and deviations: ``(..., K, Z)`` if shared, else ``(..., Z, K)``.
        shared: Whether all numbers of a vector share the weights.
    """

    log_weights: Tensor
    components: Gaussian
    shared: bool

    def surprise(self, latents: Tensor) -> Tensor:
        """-log p: of each vector ``(..., Z)`` if shared, ``(...,)``; else of each of its numbers, ``(..., Z)``."""
        if self.shared:
            log_densities = self.components.log_density(latents.unsqueeze(-2)).sum(-1)
        else:
            log_densities = self.components.log_density(latents.unsqueeze(-1))
        return -torch.logsumexp(self.log_weights + log_densities, -1)


class MixtureRNN(nn.Module):
    """An LSTM over actions and latent vectors whose output gives the mixture of the next latent vector.

    Args:
        latent_dim: Z, numbers of a latent vector.
        action_dim: Numbers of an encoded action.
        units: Units of the LSTM.
        components: K, normal distributions in a mixture.
        kind: Whether the numbers of a vector share the weights of the mixture.
        extras: Further outputs of the linear layer: reward and logit of the episode's end, or none.
    """

    def __init__(
        self, latent_dim: int, action_dim: int, units: int, components: int, kind: MixtureKind, *, extras: int
    ) -> None:
        super().__init__()
        self.latent_dim, self.components, self.kind = latent_dim, components, kind
        self._parameters_of_mixture = (2 * latent_dim + 1) * components if kind == "shared" else 3 * latent_dim * components
        self.head = nn.Linear(units, self._parameters_of_mixture + extras)
        self.lstm = nn.LSTM(action_dim + latent_dim, units)

    def mixture(self, outputs: Tensor) -> Mixture:
        """The mixtures that the linear layer's outputs ``(..., n)`` describe."""
        z, k = self.latent_dim, self.components
        described = outputs[..., : self._parameters_of_mixture]
        if self.kind == "shared":
            means, scales, logits = described.split([k * z, k * z, k], -1)
            gaussians = Gaussian.of(means.unflatten(-1, (k, z)), scales.unflatten(-1, (k, z)), "log_deviation")
            return Mixture(logits.log_softmax(-1), gaussians, shared=True)
        logits, means, scales = described.unflatten(-1, (z, 3 * k)).split(k, -1)
        return Mixture(logits.log_softmax(-1), Gaussian.of(means, scales, "log_deviation"), shared=False)

    def extras(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Predicted reward and logit of the episode's end, ``(...,)`` both, where there are such outputs."""
        return outputs[..., -2], outputs[..., -1]

    def forward(self, actions: Tensor, latents: Tensor) -> Tensor:
        """The linear layer's outputs along sequences ``(L, B, n)`` that begin with an empty memory."""
        return self.head(self.lstm(torch.cat([actions, latents], -1))[0])
