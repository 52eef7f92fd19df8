"""The network's shapes, and that policy and values learn through it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from harness.algorithms.networks import MultiHeadActorCriticPolicy
from harness_tiny_network.network import TinyNetwork


@pytest.mark.parametrize("shape", [(7,), (5, 5), (3, 8, 8)])
def test_every_shape_of_observation_gives_what_is_declared(shape: tuple[int, ...]) -> None:
    network = TinyNetwork(spaces.Box(-1, 1, shape), n_value_heads=1)
    features = network.features(torch.randn(6, *shape))
    assert features.shape == (6, network.features_dim)
    assert network.policy_latent(features).shape == (6, network.policy_dim)
    assert network.value_latent(features).shape == (6, network.value_dim)


@pytest.mark.parametrize("heads", [1, 2])
def test_a_policy_has_as_many_values_as_critics_and_trains_every_layer(heads: int) -> None:
    space = spaces.Box(-1, 1, (7,), np.float32)
    policy = MultiHeadActorCriticPolicy(
        space, spaces.Discrete(3), lambda _: 1e-3, n_value_heads=heads, network=TinyNetwork
    )
    values, log_probs, _ = policy.evaluate_actions(torch.randn(6, 7), torch.zeros(6))
    assert values.shape == (6, heads)
    (values.sum() + log_probs.sum()).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in policy.parameters())


def test_weights_are_orthogonal_with_their_gain() -> None:
    (layer, _) = TinyNetwork(spaces.Box(-1, 1, (40,)), n_value_heads=1).policy
    torch.testing.assert_close(layer.weight @ layer.weight.T, 2 * torch.eye(16))
