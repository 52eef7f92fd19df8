"""The network that ProcGen's authors train on it: IMPALA's residual convolutions, from Espeholt et al. 2018."""

from __future__ import annotations

from math import prod, sqrt

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional as F

from harness.algorithms.networks import ActorCriticNetwork
from harness.errors import UserError
from harness.nn.layers import orthogonal


class Impala(ActorCriticNetwork):
    """Three stages of 16, 32 and 32 channels, then a layer of 256 units that policy and values share.

    A stage is a 3 x 3 convolution, a 3 x 3 maximum of stride 2 and two residual blocks of two convolutions each, with a ReLU
    before each of these (openai/train-procgen's ``build_impala_cnn``). Gains are sqrt(2), and 1 before the value heads.
    """

    features_dim = policy_dim = value_dim = 256
    value_gain = 1.0
    _stages = (16, 32, 32)

    def __init__(self, observation_space: spaces.Box, n_value_heads: int) -> None:
        super().__init__(observation_space, n_value_heads)
        if len(observation_space.shape) != 3:
            raise UserError(f"the network impala needs images, not observations of shape {observation_space.shape}")
        channels = (observation_space.shape[0], *self._stages)
        stages = nn.Sequential(*(_Stage(n, m) for n, m in zip(channels, self._stages, strict=False)))
        with torch.no_grad():
            width = prod(stages(torch.zeros(1, *observation_space.shape)).shape)
        head = (nn.ReLU(), nn.Flatten(), nn.Linear(width, self.features_dim), nn.ReLU())
        self.trunk = orthogonal(nn.Sequential(stages, *head), sqrt(2))

    def features(self, observations: Tensor) -> Tensor:
        return self.trunk(observations)

    def policy_latent(self, features: Tensor) -> Tensor:
        return features

    def value_latent(self, features: Tensor) -> Tensor:
        return features


class _Stage(nn.Module):
    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Conv2d(inputs, channels, 3, padding=1), nn.MaxPool2d(3, 2, padding=1))
        self.blocks = nn.Sequential(_Residual(channels), _Residual(channels))

    def forward(self, images: Tensor) -> Tensor:
        return self.blocks(self.enter(images))


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return images + self.second(F.relu(self.first(F.relu(images))))
