"""The published actor-critic networks: parameter counts, gains, and where a ReLU leads and where not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from harness.algorithms.networks import ActorCriticNetwork, MultiHeadActorCriticPolicy
from harness.errors import UserError
from harness_rnd.networks import Burda2018, Pechac2024, Pechac2024ProcGen


def space(channels: int, side: int) -> spaces.Box:
    return spaces.Box(0, 255, (channels, side, side), np.uint8)


def policy(
    network: type[ActorCriticNetwork], observations: spaces.Box, n_actions: int, heads: int
) -> MultiHeadActorCriticPolicy:
    actions = spaces.Discrete(n_actions)
    return MultiHeadActorCriticPolicy(observations, actions, lambda _: 1e-4, n_value_heads=heads, network=network)


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def linear(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


@pytest.mark.usefixtures("any_weights")
def test_pechac2024_has_the_published_number_of_parameters() -> None:
    assert parameters(policy(Pechac2024, space(4, 96), 18, 2)) == 10_103_732


@pytest.mark.usefixtures("any_weights")
def test_pechac2024_procgen_has_the_published_number_of_parameters() -> None:
    assert parameters(policy(Pechac2024ProcGen, space(6, 64), 15, 2)) == 2_725_809


@pytest.mark.usefixtures("any_weights")
def test_burda2018_has_the_parameters_of_its_layers() -> None:
    convolutions = linear(4 * 64, 32) + linear(32 * 16, 64) + linear(64 * 16, 64)
    layers = linear(64 * 6 * 6, 256) + linear(256, 448) + 2 * linear(448, 448)
    heads = linear(448, 18) + 2 * linear(448, 1)
    assert parameters(policy(Burda2018, space(4, 84), 18, 2)) == convolutions + layers + heads


@pytest.mark.usefixtures("any_weights")
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("network", [Burda2018, Pechac2024, Pechac2024ProcGen])
def test_values_have_one_column_per_critic(network: type[ActorCriticNetwork], heads: int) -> None:
    observations = torch.randint(0, 256, (3, 4, 64, 64), dtype=torch.uint8)
    _, values, log_prob = policy(network, space(4, 64), 5, heads)(observations)
    assert values.shape == (3, heads)
    assert log_prob.shape == (3,)


def singular_values(layer: torch.nn.Module) -> torch.Tensor:
    assert isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)
    assert not layer.bias.any()
    return torch.linalg.svdvals(layer.weight.detach().flatten(1))


def assert_gain(layer: torch.nn.Module, gain: float) -> None:
    singular = singular_values(layer)
    torch.testing.assert_close(singular, torch.full_like(singular, gain), rtol=1e-4, atol=0)


def test_gains_of_burda2018() -> None:
    built = policy(Burda2018, space(4, 84), 18, 2)
    (network,) = built._network
    assert isinstance(network, Burda2018)
    encoder, _, fully_connected, _ = network.trunk
    for layer in [*(block[0] for block in encoder.blocks), encoder.linear, fully_connected]:
        assert_gain(layer, 2**0.5)
    assert_gain(network.policy_residual[0], 0.1)
    assert_gain(network.value_residual[0], 0.1)
    assert_gain(built.action_net, 0.01)
    assert_gain(built.value_net, 0.01)


def test_gains_of_pechac2024() -> None:
    built = policy(Pechac2024, space(4, 48), 18, 2)
    (network,) = built._network
    assert isinstance(network, Pechac2024)
    for layer in [*(block[0] for block in network.encoder.blocks), network.encoder.linear]:
        assert_gain(layer, 2**0.5)
    assert_gain(network.policy[1], 0.01)
    assert_gain(network.value[1], 0.1)
    assert_gain(built.action_net, 0.01)
    assert_gain(built.value_net, 0.01)


def test_burda2018_branches_are_residual() -> None:
    network, features = Burda2018(space(4, 64), 2), torch.rand(3, 448)
    with torch.no_grad():
        for branch in (network.policy_residual, network.value_residual):
            branch[0].weight.copy_(torch.eye(448))
    assert torch.equal(network.policy_latent(features), 2 * features)
    assert torch.equal(network.value_latent(-features), -features)


def test_pechac2024_values_of_two_critics_see_features_below_zero() -> None:
    below = -torch.rand(3, 512)
    one, two = Pechac2024(space(4, 32), 1), Pechac2024(space(4, 32), 2)
    assert not one.value_latent(below).any()
    assert two.value_latent(below).any()
    assert not two.policy_latent(below).any()
    with torch.no_grad():
        assert (two.features(torch.rand(2, 4, 32, 32)) < 0).any()


@pytest.mark.parametrize("network", [Burda2018, Pechac2024])
def test_vectors_are_refused_in_words(network: type[ActorCriticNetwork]) -> None:
    with pytest.raises(UserError, match="need images"):
        policy(network, spaces.Box(0, 1, (100,), np.float32), 2, 2)
