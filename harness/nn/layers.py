"""Encoders described as data, and their initialisation: what published methods and policies are built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod, sqrt
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from harness.errors import UserError

Activation = Literal["relu", "leaky_relu", "elu", "tanh"]
ModuleT = TypeVar("ModuleT", bound=nn.Module)


@dataclass(frozen=True)
class Convolution:
    """One convolution with a square kernel, and the activation that follows it.

    Attributes:
        channels: Number of output channels.
        kernel: Side of the kernel, in pixels.
        stride: Step of the kernel in pixels.
        padding: Zeros added on every side, in pixels.
        activation: Name of the activation that follows.
        leaky_slope: Slope of ``leaky_relu`` below zero.
    """

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    activation: Activation = "relu"
    leaky_slope: float = 0.01

    def output_size(self, size: int) -> int:
        """Height or width of what an image of this height or width becomes; below 1 if the kernel does not fit."""
        return (size + 2 * self.padding - self.kernel) // self.stride + 1


class Encoder(nn.Module):
    """Blocks of layers, flattened, and a linear layer without activation.

    Args:
        blocks: Applied one after the other.
        width: Numbers that the last block gives for one sample.
        features_dim: Outputs of the linear layer.
    """

    def __init__(self, blocks: Sequence[nn.Module], width: int, features_dim: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(width, features_dim)
        self.features_dim = features_dim

    def forward(self, inputs: Tensor) -> Tensor:
        """Features ``(B, features_dim)`` of float inputs ``(B, *shape)``."""
        return self.linear(self.blocks(inputs).flatten(1))

    def trace(self, inputs: Tensor) -> tuple[list[Tensor], Tensor]:
        """What every block gives, first to last, and the features, for methods that look at more than the features."""
        outputs: list[Tensor] = []
        for block in self.blocks:
            inputs = block(inputs)
            outputs.append(inputs)
        return outputs, self.linear(inputs.flatten(1))


class ConvEncoder(Encoder):
    """Convolutions, flattened in the order channel, row, column, and a linear layer without activation.

    The k-th block is the k-th convolution with its activation.

    Args:
        image_shape: Channels, height and width.
        layers: The convolutions, first to last.
        features_dim: Outputs of the linear layer.

    Raises:
        UserError: When ``image_shape`` is no image's, or the images are too small for the kernels.
    """

    def __init__(self, image_shape: Sequence[int], layers: Sequence[Convolution], features_dim: int) -> None:
        super().__init__(conv_blocks(image_shape, layers), prod(layer_shapes(image_shape, layers)[-1]), features_dim)


class MLPEncoder(Encoder):
    """Hidden layers with an activation each, and a linear layer without: the encoder of vectors.

    The k-th block is the k-th hidden layer with its activation; the first flattens whatever shape comes in.

    Args:
        inputs: Numbers of one sample.
        hidden: Units of each hidden layer; at least one.
        features_dim: Outputs of the last layer.
        activation: After each hidden layer.
    """

    def __init__(self, inputs: int, hidden: Sequence[int], features_dim: int, activation: Activation = "relu") -> None:
        blocks = [
            nn.Sequential(nn.Flatten(), nn.Linear(n, m), activation_module(activation)) for n, m in pairwise((inputs, *hidden))
        ]
        super().__init__(blocks, hidden[-1], features_dim)


def conv_blocks(image_shape: Sequence[int], layers: Sequence[Convolution]) -> list[nn.Module]:
    """The convolutions, first to last, each with its activation.

    Raises:
        UserError: When ``image_shape`` is no image's, or the images are too small for the kernels.
    """
    inputs = [channels for channels, _, _ in layer_shapes(image_shape, layers)]
    return [_block(n, layer) for n, layer in zip(inputs, layers, strict=False)]


def layer_shapes(image_shape: Sequence[int], layers: Sequence[Convolution]) -> list[tuple[int, int, int]]:
    """Shape ``(channels, height, width)`` of the image and of what each convolution makes of it.

    Raises:
        UserError: When ``image_shape`` is no image's, or the images are too small for the kernels.
    """
    if len(image_shape) != 3:
        raise UserError(f"convolutions need images (channels, height, width), not observations of shape {tuple(image_shape)}")
    channels, height, width = image_shape
    shapes = [(channels, height, width)]
    for layer in layers:
        height, width = layer.output_size(height), layer.output_size(width)
        shapes.append((layer.channels, height, width))
    if any(min(height, width) < 1 for _, height, width in shapes):
        size = f"{image_shape[1]}x{image_shape[2]}"
        kernels = ", ".join(f"{layer.kernel}x{layer.kernel} stride {layer.stride}" for layer in layers)
        raise UserError(f"images of {size} pixels are too small for convolutions of {kernels}")
    return shapes


def mlp(sizes: Sequence[int], activation: Activation = "relu") -> nn.Sequential:
    """Linear layers between the given sizes, with an activation after each but the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation_module(activation)]
    return nn.Sequential(*layers[:-1])


def activation_module(name: Activation, leaky_slope: float = 0.01) -> nn.Module:
    """The activation of that name; ``leaky_slope`` concerns ``leaky_relu`` only."""
    if name == "leaky_relu":
        return nn.LeakyReLU(leaky_slope)
    return {"relu": nn.ReLU, "elu": nn.ELU, "tanh": nn.Tanh}[name]()


def orthogonal(module: ModuleT, gain: float = sqrt(2), generator: torch.Generator | None = None) -> ModuleT:
    """Fill every linear and convolutional layer with orthogonal weights (Saxe et al. 2014) and zero biases, in place.

    Args:
        module: A layer or anything that contains layers.
        gain: Factor on the weights.
        generator: Where the numbers come from; ``None`` for torch's global stream.

    Returns:
        The module that was given.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.orthogonal_(layer.weight, gain, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module


def uniform_fan_in(module: ModuleT, generator: torch.Generator | None = None) -> ModuleT:
    """Fill every linear and convolutional layer as torch does by default, in place, but from a stream of its own.

    Weights and biases are uniform in ``±1 / sqrt(inputs of one unit)``.

    Returns:
        The module that was given.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            bound = 1 / sqrt(layer.weight[0].numel())
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return module


def _block(inputs: int, layer: Convolution) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, layer.channels, layer.kernel, layer.stride, layer.padding)
    return nn.Sequential(convolution, activation_module(layer.activation, layer.leaky_slope))
