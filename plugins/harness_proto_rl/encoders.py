"""What turns an observation into the features that projections, actor and critics are made from."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor, nn

from harness.errors import UserError
from harness.nn.layers import Convolution, conv_blocks, layer_shapes, mlp, orthogonal
from harness.rewards import Spaces
from harness_proto_rl.config import ProtoRLConfig


class ImageEncoder(nn.Module):
    """Four convolutions without padding, ReLU after each, flattened in the order channel, row, column.

    Args:
        image_shape: Channels, height and width.
        channels: The number of output channels of each convolution.

    Raises:
        UserError: When the images are too small.
    """

    def __init__(self, image_shape: Sequence[int], channels: int) -> None:
        super().__init__()
        layers = [Convolution(channels, 3, 2), *[Convolution(channels, 3)] * 3]
        self.features_dim = prod(layer_shapes(image_shape, layers)[-1])
        self.blocks = nn.Sequential(*conv_blocks(image_shape, layers))

    def forward(self, images: Tensor) -> Tensor:
        """Features ``(B, features_dim)`` of ``(B, *image_shape)``; bytes are divided by 255."""
        dtype = next(self.parameters()).dtype
        inputs = images.to(dtype) / 255 if images.dtype == torch.uint8 else images.to(dtype)
        return self.blocks(inputs).flatten(1)


class VectorEncoder(nn.Module):
    """Layers with ReLU after each, or nothing but flattening.

    Args:
        inputs: Numbers of one observation.
        hidden: Units of each layer; none for observations as they are.
    """

    def __init__(self, inputs: int, hidden: Sequence[int] = ()) -> None:
        super().__init__()
        self.features_dim = [inputs, *hidden][-1]
        self.layers = nn.Sequential(mlp([inputs, *hidden]), nn.ReLU()) if hidden else nn.Identity()

    def forward(self, vectors: Tensor) -> Tensor:
        """Features ``(B, features_dim)`` of ``(B, *shape)``; float32 unless the layers have another dtype."""
        dtype = next((p.dtype for p in self.parameters()), torch.float32)
        return self.layers(vectors.flatten(1).to(dtype))


class Projection(nn.Module):
    """An encoder, and the linear layer that projects its features.

    Args:
        encoder: An encoder with the attribute ``features_dim``.
        projection_dim: Numbers of a projection.
    """

    def __init__(self, encoder: ImageEncoder | VectorEncoder, projection_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = nn.Linear(encoder.features_dim, projection_dim)

    def forward(self, observations: Tensor) -> Tensor:
        """Projections ``(B, projection_dim)``, not normalised, of observations as they are stored."""
        return self.projector(self.encoder(observations).to(self.projector.weight.dtype))


def build_encoder(config: ProtoRLConfig, spaces: Spaces, generator: torch.Generator) -> ImageEncoder | VectorEncoder:
    """The encoder that the configuration asks for, its weights orthogonal: gain sqrt(2) in convolutions, 1 elsewhere.

    Raises:
        UserError: When it does not fit the observations.
    """
    space, images = spaces.observation, spaces.frame_channels is not None
    if not isinstance(space, gym_spaces.Box):
        raise UserError(f"proto_rl needs observations that are a Box of numbers, not {type(space).__name__}")
    kind = config.encoder if config.encoder != "auto" else "conv" if images else "identity"
    if (kind == "conv") != images:
        seen, remedy = ("images", "conv") if images else ("vectors", "identity or mlp")
        raise UserError(f"encoder: {kind} does not fit this task, whose observations are {seen}: use {remedy}, or auto")
    if kind == "conv":
        return orthogonal(ImageEncoder(space.shape, config.channels), sqrt(2), generator)
    return orthogonal(VectorEncoder(prod(space.shape), config.hidden if kind == "mlp" else ()), 1.0, generator)
