"""Features of states that ICM and disagreement predict, and what those features learn by themselves."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nn.layers import mlp
from harness_curiosity.dynamics_configs import DynamicsConfig
from harness_curiosity.encoders import Pixels, build_encoder, uses_convolutions
from harness_curiosity.gaussians import Gaussian
from harness_curiosity.resizing import CELL, base_size, crop, deconvolve


class FeatureNetwork(nn.Module):
    """phi: features that learn by a loss outside of this module (``inverse``), never (``random``), or that are states.

    Args:
        encoder: Maps states ``(B, *shape)`` to features.
        features_dim: Numbers of one state's features.
        shape: Shape of one state's features.
    """

    def __init__(self, encoder: nn.Module, features_dim: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder, self.features_dim, self.shape = encoder, features_dim, shape

    def forward(self, states: Tensor) -> Tensor:
        """Features ``(B, *shape)`` of what the networks see of states."""
        return self.encoder(states)


class VAEFeatures(FeatureNetwork):
    """phi: the posterior mean of a variational auto-encoder (Burda et al. 2018).

    The posterior's deviation and the decoder's are softplus of what the networks give; the decoder's differs by element.

    Args:
        encoder: Maps states to ``2 * features_dim`` numbers, mean and deviation.
        features_dim: Numbers of the posterior mean.
        decoder: Maps samples ``(B, features_dim)`` to mean and deviation of states.
    """

    def __init__(self, encoder: nn.Module, features_dim: int, decoder: nn.Module) -> None:
        super().__init__(encoder, features_dim, (features_dim,))
        self.decoder = decoder

    def forward(self, states: Tensor) -> Tensor:
        return self.encoder(states).chunk(2, 1)[0]

    def negative_elbo(self, states: Tensor, targets: Tensor, noise: Tensor) -> Tensor:
        """KL divergence from the standard normal, less the log-density of the targets; sums, ``(B,)``.

        Args:
            states: What the encoder sees, ``(B, *shape)``.
            targets: What the decoder is to give, ``(B, *shape)``.
            noise: Standard normal numbers that draw the sample, ``(B, features_dim)``.
        """
        center, spread = self.encoder(states).chunk(2, 1)
        posterior = Gaussian.of(center, spread, "softplus")
        mean, scale = self.decoder(posterior.sample(noise)).chunk(2, 1)
        likelihood = Gaussian.of(mean, scale, "softplus").log_density(targets)
        return posterior.kl_to_standard() - likelihood.flatten(1).sum(1)


class ImageDecoder(nn.Module):
    """A layer, three transposed convolutions with leaky ReLU between them, and a bias for each pixel.

    Args:
        inputs: Numbers of one latent vector.
        shape: Channels, height and width of what is decoded; channels twice those of a state.
    """

    def __init__(self, inputs: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels, *self.sides = shape
        self.base = [base_size(side) for side in self.sides]
        self.first = nn.Linear(inputs, 64 * prod(self.base))
        sizes = ((64, 128, 4, 2), (128, 64, 8, 2), (64, channels, 8, 3))
        self.layers = nn.ModuleList(nn.ConvTranspose2d(*size) for size in sizes)
        self.bias = nn.Parameter(torch.zeros(*shape))
        assert prod(size[3] for size in sizes) == CELL

    def forward(self, latents: Tensor) -> Tensor:
        """Decoded images ``(B, *shape)``."""
        x = F.leaky_relu(self.first(latents), 0.2).unflatten(1, (64, *self.base))
        for layer in self.layers[:-1]:
            x = F.leaky_relu(deconvolve(layer, x), 0.2)
        return crop(deconvolve(self.layers[-1], x), self.sides) + self.bias


class VectorDecoder(nn.Module):
    """An MLP with the encoder's hidden layers in reverse.

    Args:
        inputs: Numbers of one latent vector.
        hidden: Units of the encoder's hidden layers.
        shape: Shape of a state.
    """

    def __init__(self, inputs: int, hidden: tuple[int, ...], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = (2 * shape[0], *shape[1:]) if shape else (2,)
        self.layers = mlp([inputs, *reversed(hidden), prod(self.shape)])

    def forward(self, latents: Tensor) -> Tensor:
        """Mean and deviation of states, one after the other along their first dimension."""
        return self.layers(latents).unflatten(1, self.shape)


def build_features(config: DynamicsConfig, shape: tuple[int, ...], *, images: bool) -> FeatureNetwork:
    """The features that the configuration asks for; torch's own initial weights.

    Args:
        config: Settings of the method.
        shape: Shape of what is seen of one state.
        images: Whether that is an image.

    Raises:
        UserError: When convolutions do not fit the shape.
    """
    if config.features == "pixels":
        as_images = uses_convolutions(config, images) and len(shape) == 3
        pixels = Pixels(shape, images=as_images)
        return FeatureNetwork(pixels, pixels.features_dim, shape if as_images else (pixels.features_dim,))
    if config.features != "vae":
        encoder = build_encoder(config, shape, config.feature_dim, images=images)
        return FeatureNetwork(encoder, encoder.features_dim, (encoder.features_dim,))
    encoder = build_encoder(config, shape, 2 * config.feature_dim, images=images)
    latents = encoder.features_dim // 2
    if uses_convolutions(config, images):
        return VAEFeatures(encoder, latents, ImageDecoder(latents, (2 * shape[0], *shape[1:])))
    return VAEFeatures(encoder, latents, VectorDecoder(latents, config.hidden, shape))
