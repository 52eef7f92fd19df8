"""Variational auto-encoders of states, and their loss in the scalings of several codes."""

from __future__ import annotations

import itertools
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nn.layers import mlp
from harness_curiosity.gaussians import Gaussian, Likelihood, ScaleKind, reconstruction_error

_SIDE = 64
"""The side of images that the convolutions are made for; others are resized."""


class VAE(nn.Module):
    """q(z | x) and the decoder of z.

    Args:
        encoder: Maps states to features ``(B, features_dim)``.
        decoder: Maps latent vectors ``(B, latent_dim)`` to states, before the logistic function if there is one.
        features_dim: Numbers that the encoder gives.
        latent_dim: Numbers of a latent vector.
        scale: What the second output is, see `Gaussian.of`.
        bounded: Whether states are in [0, 1], so that a logistic function ends the decoder.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, features_dim: int, latent_dim: int, scale: ScaleKind, *, bounded: bool
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.mean = nn.Linear(features_dim, latent_dim)
        self.raw_scale = nn.Linear(features_dim, latent_dim)
        self.decoder = decoder
        self.latent_dim, self._bounded = latent_dim, bounded
        self._scale: ScaleKind = scale

    def posterior(self, targets: Tensor) -> Gaussian:
        """q(z | x) of states as `targets` gives them."""
        features = self.encoder(targets)
        return Gaussian.of(self.mean(features), self.raw_scale(features), self._scale)

    def decode(self, latents: Tensor) -> Tensor:
        """Reconstructions of states as `targets` gives them."""
        decoded = self.decoder(latents)
        return decoded.sigmoid() if self._bounded else decoded

    def targets(self, states: Tensor) -> Tensor:
        """What is encoded and reconstructed of what the networks see of states."""
        return states


class ConvVAE(VAE):
    """The convolutional auto-encoder of Ha and Schmidhuber 2018 for images of 64 x 64; others are resized to that.

    Args:
        channels: Channels of the images.
        latent_dim: Numbers of a latent vector.
        scale: What the second output is, see `Gaussian.of`.
        bounded: Whether states are in [0, 1].
    """

    def __init__(self, channels: int, latent_dim: int, scale: ScaleKind, *, bounded: bool) -> None:
        widths = [channels, 32, 64, 128, 256]
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 4, 2), nn.ReLU()]
        encoder = nn.Sequential(*layers, nn.Flatten())
        super().__init__(encoder, _ConvDecoder(latent_dim, channels), 1024, latent_dim, scale, bounded=bounded)

    def targets(self, states: Tensor) -> Tensor:
        """Images of 64 x 64: averages of pixels where they are larger, interpolated where they are smaller."""
        if states.shape[2:] == (_SIDE, _SIDE):
            return states
        if min(states.shape[2:]) >= _SIDE:
            return F.interpolate(states, (_SIDE, _SIDE), mode="area")
        return F.interpolate(states, (_SIDE, _SIDE), mode="bilinear")


class _ConvDecoder(nn.Module):
    def __init__(self, latent_dim: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Linear(latent_dim, 1024)
        sizes = ((1024, 128, 5), (128, 64, 5), (64, 32, 6), (32, channels, 6))
        self.layers = nn.ModuleList(nn.ConvTranspose2d(inputs, outputs, kernel, 2) for inputs, outputs, kernel in sizes)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.first(latents).relu()[:, :, None, None]
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


class MLPVAE(VAE):
    """An auto-encoder of flattened states.

    Args:
        shape: Shape of what is seen of one state.
        hidden: Units of the encoder's hidden layers, ReLU after each; the decoder has them in reverse.
        latent_dim: Numbers of a latent vector.
        scale: What the second output is, see `Gaussian.of`.
        bounded: Whether states are in [0, 1].
    """

    def __init__(
        self, shape: tuple[int, ...], hidden: tuple[int, ...], latent_dim: int, scale: ScaleKind, *, bounded: bool
    ) -> None:
        n = prod(shape)
        encoder = nn.Sequential(mlp([n, *hidden]), nn.ReLU()) if hidden else nn.Identity()
        decoder = mlp([latent_dim, *reversed(hidden), n])
        super().__init__(encoder, decoder, [n, *hidden][-1], latent_dim, scale, bounded=bounded)

    def targets(self, states: Tensor) -> Tensor:
        """States, flattened."""
        return states.flatten(1)


def reduce_errors(errors: Tensor, reduction: str) -> Tensor:
    """Errors of single numbers as one number for each sample, ``(B,)``: their sum or mean."""
    return errors.flatten(1).sum(1) if reduction == "sum" else errors.flatten(1).mean(1)


def elbo_loss(reconstruction: Tensor, divergence: Tensor, *, beta: float, batch: str, floor: float = 0.0) -> Tensor:
    """What an auto-encoder minimises, from each sample's terms ``(B,)``.

    Args:
        reconstruction: Costs of the reconstructions.
        divergence: Divergences of the posteriors from the prior.
        beta: Weight of the latter.
        batch: Whether samples are summed (``sum``) or averaged (``mean``).
        floor: The least that a sample's divergence counts.
    """
    total = reconstruction + beta * (divergence.clamp(min=floor) if floor else divergence)
    return total.sum() if batch == "sum" else total.mean()


def sampled_elbo(posterior: Gaussian, latents: Tensor, log_likelihood: Tensor) -> Tensor:
    """The evidence lower bound of each sample with one latent vector: log p(x|z) + log p(z) - log q(z|x), ``(B,)``.

    Args:
        posterior: Distributions q(z | x) of the latent vectors.
        latents: z, drawn from it.
        log_likelihood: log p(x | z), ``(B,)``.
    """
    prior = Gaussian(torch.zeros_like(latents), torch.zeros_like(latents))
    return log_likelihood + (prior.log_density(latents) - posterior.log_density(latents)).sum(1)


def costs(reconstruction: Tensor, targets: Tensor, likelihood: Likelihood, reduction: str) -> Tensor:
    """What each sample's reconstruction costs, ``(B,)``."""
    return reduce_errors(reconstruction_error(reconstruction, targets, likelihood), reduction)
