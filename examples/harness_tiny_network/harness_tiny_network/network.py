"""The network ``tiny``: small enough to read at a glance, and to train DeepSea in seconds."""

from __future__ import annotations

from math import prod, sqrt

from gymnasium import spaces
from torch import Tensor, nn

from harness.algorithms.networks import ActorCriticNetwork
from harness.nn.layers import orthogonal


class TinyNetwork(ActorCriticNetwork):
    """One shared layer of 32 units and one of 16 for each of policy and values, tanh after each; orthogonal weights.

    The heads are the harness's: action logits on `policy_latent`, on `value_latent` a value for each critic.
    """

    features_dim, policy_dim, value_dim = 32, 16, 16
    value_gain = 1.0

    def __init__(self, observation_space: spaces.Box, n_value_heads: int) -> None:
        super().__init__(observation_space, n_value_heads)
        self.shared = nn.Sequential(nn.Flatten(), *self._layer(prod(observation_space.shape), self.features_dim))
        self.policy = nn.Sequential(*self._layer(self.features_dim, self.policy_dim))
        self.value = nn.Sequential(*self._layer(self.features_dim, self.value_dim))
        orthogonal(self, sqrt(2))

    def features(self, observations: Tensor) -> Tensor:
        """Shared features ``(B, 32)`` of observations ``(B, *shape)``."""
        return self.shared(observations)

    def policy_latent(self, features: Tensor) -> Tensor:
        """Input of the action head, ``(B, 16)``."""
        return self.policy(features)

    def value_latent(self, features: Tensor) -> Tensor:
        """Input of the value heads, ``(B, 16)``."""
        return self.value(features)

    @staticmethod
    def _layer(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
        return nn.Linear(inputs, outputs), nn.Tanh()
