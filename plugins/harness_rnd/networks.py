"""The actor-critic networks that RND and SND were published with.

Burda et al. 2018 (OpenAI's ``policies/cnn_policy_param_matched.py``) and Pechac et al. 2024 (SND's
``modules/PPO_AtariModules.py`` and ``modules/PPO_ProcgenModules.py``), layer by layer with their gains.
"""

from __future__ import annotations

from math import sqrt
from typing import ClassVar

from gymnasium import spaces
from torch import Tensor, nn

from harness.algorithms.networks import ActorCriticNetwork
from harness.nn.layers import ConvEncoder, Convolution, orthogonal


class Burda2018(ActorCriticNetwork):
    """Three convolutions, layers of 256 and 448 units, and a residual layer of 448 for each of policy and values.

    The residual layers are ``x + relu(linear(x))`` and start small, with gain 0.1; all else starts with gain sqrt(2).
    """

    features_dim = policy_dim = value_dim = 448
    _layers = (Convolution(32, 8, 4), Convolution(64, 4, 2), Convolution(64, 4, 1))

    def __init__(self, observation_space: spaces.Box, n_value_heads: int) -> None:
        super().__init__(observation_space, n_value_heads)
        encoder = ConvEncoder(observation_space.shape, self._layers, 256)
        self.trunk = orthogonal(nn.Sequential(encoder, nn.ReLU(), nn.Linear(256, 448), nn.ReLU()), sqrt(2))
        self.policy_residual = orthogonal(nn.Sequential(nn.Linear(448, 448), nn.ReLU()), 0.1)
        self.value_residual = orthogonal(nn.Sequential(nn.Linear(448, 448), nn.ReLU()), 0.1)

    def features(self, observations: Tensor) -> Tensor:
        return self.trunk(observations)

    def policy_latent(self, features: Tensor) -> Tensor:
        return features + self.policy_residual(features)

    def value_latent(self, features: Tensor) -> Tensor:
        return features + self.value_residual(features)


class Pechac2024(ActorCriticNetwork):
    """Four convolutions and a layer of 512 units without activation, then a hidden layer of 512 for each branch.

    The branches begin with a ReLU, except for the values of two critics: their hidden layer sees the features as they are.
    Gains are sqrt(2) for the features, 0.01 for the policy's hidden layer and 0.1 for the values'.
    """

    features_dim = policy_dim = value_dim = 512
    last_channels: ClassVar[int] = 128

    def __init__(self, observation_space: spaces.Box, n_value_heads: int) -> None:
        super().__init__(observation_space, n_value_heads)
        strided = [Convolution(channels, 3, 2, 1) for channels in (32, 64, 64)]
        layers = [*strided, Convolution(self.last_channels, 3, 1, 1)]
        self.encoder = orthogonal(ConvEncoder(observation_space.shape, layers, 512), sqrt(2))
        self.policy = orthogonal(nn.Sequential(nn.ReLU(), nn.Linear(512, 512), nn.ReLU()), 0.01)
        leading = nn.ReLU() if n_value_heads == 1 else nn.Identity()
        self.value = orthogonal(nn.Sequential(leading, nn.Linear(512, 512), nn.ReLU()), 0.1)

    def features(self, observations: Tensor) -> Tensor:
        return self.encoder(observations)

    def policy_latent(self, features: Tensor) -> Tensor:
        return self.policy(features)

    def value_latent(self, features: Tensor) -> Tensor:
        return self.value(features)


class Pechac2024ProcGen(Pechac2024):
    """`Pechac2024` with 64 channels in the last convolution, as the study used on ProcGen."""

    last_channels = 64
