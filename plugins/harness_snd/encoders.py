"""Target and predictor, as the configuration describes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import nn

from harness.nn.layers import ConvEncoder, Convolution, Encoder, MLPEncoder, mlp, orthogonal
from harness_snd.config import SNDConfig


def build_target(config: SNDConfig, shape: Sequence[int], *, images: bool, generator: torch.Generator) -> Encoder:
    """The network that is distilled: convolutions or hidden layers, and a linear layer.

    Args:
        config: Settings of the method.
        shape: Shape of what is seen of one state: ``(channels, height, width)`` for images.
        images: Whether ``architecture: auto`` takes convolutions.
        generator: Draws the initial weights.

    Raises:
        UserError: When convolutions do not fit the shape.
    """
    return orthogonal(_encoder(config, config.target_channels, shape, images), config.target_gain, generator)


def build_predictor(config: SNDConfig, shape: Sequence[int], *, images: bool, generator: torch.Generator) -> nn.Module:
    """The network that distils: an encoder and `SNDConfig.predictor_layers` layers more, ELU before each.

    Args and errors are those of `build_target`.
    """
    predictor = nn.Sequential(_encoder(config, config.predictor_channels, shape, images))
    if config.predictor_layers:
        predictor.extend([nn.ELU(), mlp([config.feature_dim] * (config.predictor_layers + 1), "elu")])
    return orthogonal(predictor, config.predictor_gain, generator)


def _encoder(config: SNDConfig, channels: Sequence[int], shape: Sequence[int], images: bool) -> Encoder:
    if config.architecture == "mlp" or (config.architecture == "auto" and not images):
        return MLPEncoder(prod(shape), config.hidden, config.feature_dim, config.activation)
    strides = [2] * (len(channels) - 1) + [1]
    layers = [Convolution(n, 3, stride, 1, config.activation) for n, stride in zip(channels, strides, strict=True)]
    return ConvEncoder(shape, layers, config.feature_dim)
