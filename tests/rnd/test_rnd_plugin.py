"""What the plugin names exists, and the algorithm presets fit the algorithm."""

from __future__ import annotations

import importlib

import pytest

from harness.algorithms.networks import ActorCriticNetwork
from harness.algorithms.ppo.config import PPOConfig
from harness_rnd import plugin
from harness_rnd.config import RNDConfig
from harness_rnd.reward import RND


def load(path: str) -> type:
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


def test_the_method() -> None:
    (method,) = plugin.harness_methods()
    assert load(method.reward) is RND
    assert load(method.config) is RNDConfig


@pytest.mark.parametrize("network", plugin.harness_networks(), ids=lambda network: network.name)
def test_networks(network: plugin.Network) -> None:
    assert issubclass(load(network.build), ActorCriticNetwork)


def test_algorithm_presets() -> None:
    names = {network.name for network in plugin.harness_networks()}
    for given in plugin.harness_algorithm_presets():
        config = PPOConfig(**given.preset.config)
        assert given.algorithm == "ppo"
        assert config.network in names
        assert (config.n_envs, config.n_steps, config.normalize_advantage) == (128, 128, False)
        assert given.preset.source


def test_published_minibatches() -> None:
    burda, pechac = (PPOConfig(**given.preset.config) for given in plugin.harness_algorithm_presets())
    assert burda.n_envs * burda.n_steps / burda.batch_size == 4
    assert pechac.n_envs * pechac.n_steps / pechac.batch_size == 32
    assert (burda.max_grad_norm, pechac.max_grad_norm) == (None, 0.5)
