"""Target and predictor of RND, as the configuration describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import torch
from torch import nn

from harness.nn.distillation import DistillationPair
from harness.nn.layers import Activation, ConvEncoder, Convolution, activation_module, mlp, orthogonal
from harness_rnd.config import RNDConfig

_BURDA2018 = (
    Convolution(32, 8, 4, activation="leaky_relu"),
    Convolution(64, 4, 2, activation="leaky_relu"),
    Convolution(64, 3, 1, activation="leaky_relu"),
)
_PECHAC2024 = (
    Convolution(32, 8, 4, 2, activation="elu"),
    Convolution(64, 3, 2, 1, activation="elu"),
    Convolution(64, 3, 1, 1, activation="elu"),
)
_RAILEANU2020 = tuple(Convolution(channels, 3, 2, 1, activation="elu") for channels in (32, 32, 128))
"""The embedding of MiniGrid's 7 x 7 cells in facebookresearch/impact-driven-exploration@b50f44f src/models.py."""


def build_pair(config: RNDConfig, shape: Sequence[int], *, images: bool, generator: torch.Generator) -> DistillationPair:
    """The frozen target, and the predictor with `RNDConfig.predictor_layers` layers more.

    Args:
        config: Settings of the method.
        shape: Shape of what is scored: ``(channels, height, width)`` for images.
        images: Whether ``architecture: auto`` takes convolutions.
        generator: Draws the initial weights.

    Raises:
        UserError: When convolutions do not fit the shape.
    """
    convolutional = config.architecture == "conv" or (config.architecture == "auto" and images)
    between: Activation = "elu" if convolutional and config.convolutions != "burda2018" else "relu"
    widths = [config.feature_dim] * (config.predictor_layers + 1)
    target = _encoder(config, shape, convolutional)
    predictor = nn.Sequential(_encoder(config, shape, convolutional))
    if config.predictor_layers:
        predictor.extend([activation_module(between), mlp(widths, between)])
    pair = DistillationPair(target, predictor)
    return orthogonal(pair, config.init_gain, generator)


def _encoder(config: RNDConfig, shape: Sequence[int], convolutional: bool) -> nn.Module:
    if not convolutional:
        return nn.Sequential(nn.Flatten(), mlp([prod(shape), *config.hidden, config.feature_dim]))
    layers = {"burda2018": _BURDA2018, "pechac2024": _PECHAC2024, "raileanu2020": _RAILEANU2020}[config.convolutions]
    return ConvEncoder(shape, [replace(layer, leaky_slope=config.leaky_slope) for layer in layers], config.feature_dim)
