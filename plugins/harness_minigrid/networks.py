"""An actor-critic network for images of 7 x 7 cells, which are too small for convolutions meant for pixels."""

from __future__ import annotations

from math import sqrt

from gymnasium import spaces
from torch import Tensor, nn

from harness.algorithms.networks import ActorCriticNetwork
from harness.nn.layers import ConvEncoder, Convolution, orthogonal


class MiniGridCNN(ActorCriticNetwork):
    """Three 2 x 2 convolutions of 16, 32 and 64 channels, a layer of 128 units, and one of 64 for each of policy and values.

    The convolutions are those of MiniGrid's own instructions for Stable-Baselines3, the branches those of rl-starter-files
    (tanh); gains are sqrt(2), and 1 before the value heads.
    """

    features_dim, policy_dim, value_dim = 128, 64, 64
    value_gain = 1.0
    _layers = (Convolution(16, 2), Convolution(32, 2), Convolution(64, 2))

    def __init__(self, observation_space: spaces.Box, n_value_heads: int) -> None:
        super().__init__(observation_space, n_value_heads)
        encoder = ConvEncoder(observation_space.shape, self._layers, self.features_dim)
        self.trunk = orthogonal(nn.Sequential(encoder, nn.ReLU()), sqrt(2))
        self.policy = orthogonal(nn.Sequential(nn.Linear(self.features_dim, self.policy_dim), nn.Tanh()), sqrt(2))
        self.value = orthogonal(nn.Sequential(nn.Linear(self.features_dim, self.value_dim), nn.Tanh()), sqrt(2))

    def features(self, observations: Tensor) -> Tensor:
        return self.trunk(observations)

    def policy_latent(self, features: Tensor) -> Tensor:
        return self.policy(features)

    def value_latent(self, features: Tensor) -> Tensor:
        return self.value(features)
