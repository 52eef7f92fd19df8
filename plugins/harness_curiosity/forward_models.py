"""Forward models: from features of a state and an action to the features of the next state."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nn.layers import mlp
from harness_curiosity.dynamics_configs import DynamicsConfig
from harness_curiosity.encoders import LEAKY_SLOPE
from harness_curiosity.resizing import CELL, base_size, crop, deconvolve, pad, same_convolution

_BLOCKS = 4


class MLPForward(nn.Module):
    """One hidden layer with ReLU on features and action, and a linear layer.

    Args:
        features_dim: Numbers of a state's features.
        action_dim: Numbers of an encoded action.
        hidden: Units of the hidden layer.
    """

    def __init__(self, features_dim: int, action_dim: int, hidden: int) -> None:
        super().__init__()
        self.layers = mlp([features_dim + action_dim, hidden, features_dim])

    def forward(self, features: Tensor, action: Tensor) -> Tensor:
        """Predicted features of the next states, ``(B, features_dim)``."""
        return self.layers(torch.cat([features, action], 1))


class ResidualForward(nn.Module):
    """A layer, residual blocks of two layers and a layer (Burda et al. 2018); the action is joined to the input of each.

    Leaky ReLU follows the first layer and the first of each block; nothing follows a block's sum.

    Args:
        features_dim: Numbers of a state's features.
        action_dim: Numbers of an encoded action.
        hidden: Units of each layer but the last.
        outputs: Numbers of the last layer; ``None`` for ``features_dim``.
    """

    def __init__(self, features_dim: int, action_dim: int, hidden: int, outputs: int | None = None) -> None:
        super().__init__()
        self.first = nn.Linear(features_dim + action_dim, hidden)
        self.blocks = nn.ModuleList(nn.Linear(hidden + action_dim, hidden) for _ in range(2 * _BLOCKS))
        self.last = nn.Linear(hidden + action_dim, features_dim if outputs is None else outputs)

    def forward(self, features: Tensor, action: Tensor) -> Tensor:
        """Predicted features of the next states, ``(B, outputs)``."""

        def join(x: Tensor) -> Tensor:
            return torch.cat([x, action], 1)

        x = F.leaky_relu(self.first(join(features)), LEAKY_SLOPE)
        for inner, outer in zip(self.blocks[::2], self.blocks[1::2], strict=True):
            x = x + outer(join(F.leaky_relu(inner(join(x)), LEAKY_SLOPE)))
        return self.last(join(x))


class UNetForward(nn.Module):
    """A U-Net from images to images, the action joined to the input of every layer (Burda et al. 2018, prediction of pixels).

    Sides are padded to multiples of `CELL`; three convolutions, a residual model in the middle, and their mirror image, to
    which the outputs of the convolutions are added. All layers have leaky ReLU but the last.

    Args:
        shape: Channels, height and width.
        action_dim: Numbers of an encoded action.
        hidden: Units of the model in the middle.
    """

    def __init__(self, shape: tuple[int, ...], action_dim: int, hidden: int) -> None:
        super().__init__()
        channels, *self.sides = shape
        self.base = [base_size(side) for side in self.sides]
        self.down = nn.ModuleList(
            nn.Conv2d(inputs + action_dim, outputs, kernel, stride)
            for inputs, outputs, kernel, stride in ((channels, 32, 8, 3), (32, 64, 8, 2), (64, 64, 4, 2))
        )
        flat = 64 * prod(self.base)
        self.middle = ResidualForward(flat, action_dim, hidden, outputs=flat)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(inputs + action_dim, outputs, kernel, stride)
            for inputs, outputs, kernel, stride in ((64, 64, 4, 2), (64, 32, 8, 2), (32, channels, 8, 3))
        )

    def forward(self, images: Tensor, action: Tensor) -> Tensor:
        """Predicted next images, ``(B, C, H, W)``."""

        def join(x: Tensor) -> Tensor:
            return torch.cat([x, action[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)

        x, skipped = pad(images, [CELL * side for side in self.base]), list[Tensor]()
        for layer in self.down:
            x = F.leaky_relu(same_convolution(layer, join(x)), LEAKY_SLOPE)
            skipped.append(x)
        x = F.leaky_relu(self.middle(x.flatten(1), action), LEAKY_SLOPE).unflatten(1, (64, *self.base))
        for layer in self.up[:-1]:
            x = F.leaky_relu(deconvolve(layer, join(x + skipped.pop())), LEAKY_SLOPE)
        return crop(deconvolve(self.up[-1], join(x + skipped.pop())), self.sides)


def build_forward_model(config: DynamicsConfig, shape: tuple[int, ...], features_dim: int, action_dim: int) -> nn.Module:
    """The forward model that the configuration asks for; torch's own initial weights.

    Args:
        config: Settings of the method.
        shape: Shape of what is predicted: ``(features_dim,)``, or an image's.
        features_dim: Numbers of a state's features.
        action_dim: Numbers of an encoded action.
    """
    if len(shape) == 3:
        return UNetForward(shape, action_dim, config.forward_hidden)
    kind = MLPForward if config.forward_model == "mlp" else ResidualForward
    return kind(features_dim, action_dim, config.forward_hidden)
