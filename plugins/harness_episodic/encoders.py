"""Networks that embed a state, as the configuration describes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from harness.errors import UserError
from harness.nn.layers import Convolution, conv_blocks, layer_shapes, mlp, orthogonal
from harness_episodic.configs.base import EmbeddingConfig

_NATURE = (Convolution(32, 8, 4), Convolution(64, 4, 2), Convolution(64, 3, 1))
_RAILEANU2020 = tuple(Convolution(channels, 3, 2, 1, activation="elu") for channels in (32, 32, 128))
"""The embedding of facebookresearch/impact-driven-exploration@877c4ea src/models.py, MinigridStateEmbeddingNet."""

_SMALLEST_FOR_NATURE = 36
"""Pixels a side that its three convolutions need."""


class ConvEmbedding(nn.Module):
    """Convolutions, flattened, and a linear layer unless they already give as many numbers as are wanted.

    Args:
        image_shape: Channels, height and width.
        layers: The convolutions, first to last.
        feature_dim: Numbers of an embedded state.

    Raises:
        UserError: When ``image_shape`` is no image's, or the images are too small for the kernels.
    """

    def __init__(self, image_shape: Sequence[int], layers: Sequence[Convolution], feature_dim: int) -> None:
        super().__init__()
        width = prod(layer_shapes(image_shape, layers)[-1])
        self.blocks = nn.Sequential(*conv_blocks(image_shape, layers))
        self.linear = nn.Identity() if width == feature_dim else nn.Linear(width, feature_dim)

    def forward(self, images: Tensor) -> Tensor:
        """Embedded states ``(B, feature_dim)`` of float images."""
        return self.linear(self.blocks(images).flatten(1))


def build_encoder(
    config: EmbeddingConfig,
    shape: Sequence[int],
    *,
    images: bool,
    generator: torch.Generator,
    feature_dim: int | None = None,
    hidden: Sequence[int] | None = None,
) -> nn.Module:
    """A network from float states ``(B, *shape)`` to embedded ones.

    Args:
        config: Settings of the method.
        shape: Shape of one state.
        images: Whether ``architecture: auto`` takes convolutions.
        generator: Draws the initial weights.
        feature_dim: Numbers of an embedded state; those of ``config`` if not given.
        hidden: Hidden layers of an MLP; those of ``config`` if not given.

    Raises:
        UserError: When the architecture does not fit the shape.
    """
    features = config.feature_dim if feature_dim is None else feature_dim
    kind = _architecture(config, shape, images)
    if kind == "mlp":
        widths = [prod(shape), *(config.hidden if hidden is None else hidden), features]
        encoder: nn.Module = nn.Sequential(nn.Flatten(), mlp(widths))
    else:
        encoder = ConvEmbedding(shape, _NATURE if kind == "nature" else _RAILEANU2020, features)
    return orthogonal(encoder, config.init_gain, generator)


def _architecture(config: EmbeddingConfig, shape: Sequence[int], images: bool) -> str:
    if config.architecture == "auto":
        if not images:
            return "mlp"
        return "nature" if min(shape[1:]) >= _SMALLEST_FOR_NATURE else "raileanu2020"
    if config.architecture != "mlp" and not images:
        what = f"architecture: {config.architecture} needs images"
        raise UserError(f"{what}, not observations of shape {tuple(shape)}; use mlp, or auto")
    return config.architecture
