"""Encoders of states: what the features of ICM and disagreement are made by."""

from __future__ import annotations

from math import ceil, prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.errors import UserError
from harness.nn.layers import ConvEncoder, Convolution, mlp
from harness_curiosity.dynamics_configs import DynamicsConfig

LEAKY_SLOPE = 0.2
"""The slope of TensorFlow's leaky ReLU, which nothing in the code of Burda et al. changes."""

_SIZES = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""Channels, kernel and stride of the convolutions of Mnih et al. 2015."""

_RAILEANU2020 = tuple(Convolution(channels, 3, 2, 1, "elu") for channels in (32, 32, 128))
"""The embedding of MiniGrid's 7 x 7 cells in facebookresearch/impact-driven-exploration@877c4ea src/models.py."""


class SameConvolutions(nn.Module):
    """The convolutions of Pathak et al. 2017: four of 3x3 with stride 2 and 32 channels, padded as SAME pads in TensorFlow.

    ELU follows each. Where a side is even, zeros are added at its end only; where it is odd, at both ends. The output is
    flattened in the order row, column, channel, as there.

    Args:
        image_shape: Channels, height and width.

    Attributes:
        features_dim: Numbers of one flattened output.
    """

    def __init__(self, image_shape: tuple[int, ...]) -> None:
        super().__init__()
        channels, *sides = image_shape
        self.convolutions = nn.ModuleList(nn.Conv2d(inputs, 32, 3, 2) for inputs in (channels, 32, 32, 32))
        for _ in self.convolutions:
            sides = [ceil(side / 2) for side in sides]
        self.features_dim = 32 * prod(sides)

    def forward(self, images: Tensor) -> Tensor:
        """Features ``(B, features_dim)`` of images ``(B, C, H, W)``."""
        for convolution in self.convolutions:
            height, width = images.shape[2:]
            padded = F.pad(images, (width % 2, 1, height % 2, 1))
            images = F.elu(convolution(padded))
        return images.permute(0, 2, 3, 1).flatten(1)


class Pixels(nn.Module):
    """The observation itself, flattened unless it is an image.

    Args:
        shape: Shape of what is seen of one state.
        images: Whether that is an image.

    Attributes:
        features_dim: Numbers of one observation.
    """

    def __init__(self, shape: tuple[int, ...], *, images: bool) -> None:
        super().__init__()
        self.images, self.features_dim = images, prod(shape)

    def forward(self, states: Tensor) -> Tensor:
        """The states ``(B, *shape)``, or ``(B, features_dim)``."""
        return states if self.images else states.flatten(1)


class StateEncoder(nn.Sequential):
    """Layers, then what ``feature_output`` names.

    Args:
        layers: Maps states ``(B, *shape)`` to ``(B, features_dim)``.
        features_dim: Numbers of one state's features.
        output: The setting ``feature_output``.
    """

    def __init__(self, layers: nn.Module, features_dim: int, output: str) -> None:
        after = [nn.LayerNorm(features_dim), nn.Tanh()] if output == "layer_norm_tanh" else []
        super().__init__(layers, *after)
        self.features_dim = features_dim


def build_encoder(config: DynamicsConfig, shape: tuple[int, ...], outputs: int, *, images: bool) -> StateEncoder:
    """Convolutions or hidden layers, as the configuration asks for; torch's own initial weights.

    Args:
        config: Settings of the method.
        shape: Shape of what is seen of one state.
        outputs: Numbers of the last linear layer, where there is one.
        images: Whether states are images.

    Raises:
        UserError: When convolutions do not fit the shape.
    """
    if not uses_convolutions(config, images):
        layers = nn.Sequential(nn.Flatten(), mlp([prod(shape), *config.hidden, outputs]))
        return StateEncoder(layers, outputs, config.feature_output)
    if len(shape) != 3:
        raise UserError(f"architecture: conv needs images, not observations of shape {shape}: use mlp, or auto")
    if config.convolutions == "pathak2017":
        same = SameConvolutions(shape)
        return StateEncoder(same, same.features_dim, config.feature_output)
    return StateEncoder(_conv_encoder(config.convolutions, shape, outputs), outputs, config.feature_output)


def uses_convolutions(config: DynamicsConfig, images: bool) -> bool:
    """Whether states are encoded by convolutions."""
    return config.architecture == "conv" or (config.architecture == "auto" and images)


def _conv_encoder(name: str, shape: tuple[int, ...], outputs: int) -> nn.Module:
    if name == "raileanu2020":
        return ConvEncoder(shape, _RAILEANU2020, outputs)
    if name == "burda2018":
        layers = [Convolution(*size, activation="leaky_relu", leaky_slope=LEAKY_SLOPE) for size in _SIZES]
        return ConvEncoder(shape, layers, outputs)
    return nn.Sequential(ConvEncoder(shape, [Convolution(*size) for size in _SIZES], outputs), nn.ReLU())


def trainable(module: nn.Module) -> list[torch.nn.Parameter]:
    """The parameters of a module that learn."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]
