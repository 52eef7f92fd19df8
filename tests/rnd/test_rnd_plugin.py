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


@pytest.mark.parametrize("given", plugin.harness_algorithm_presets(), ids=lambda given: given.preset.name)
def test_algorithm_presets(given: plugin.AlgorithmPreset) -> None:
    config = PPOConfig(**given.preset.config)
    assert given.algorithm == "ppo"
    assert config.network in {network.name for network in plugin.harness_networks()}
    assert (config.n_envs, config.n_steps) == (128, 128)
    assert config.normalize_advantage == (given.preset.name == "cleanrl")
    assert given.preset.source


def test_published_minibatches() -> None:
    presets = {given.preset.name: PPOConfig(**given.preset.config) for given in plugin.harness_algorithm_presets()}
    burda, pechac, cleanrl = presets["burda2018"], presets["pechac2024"], presets["cleanrl"]
    assert burda.n_envs * burda.n_steps / burda.batch_size == 4
    assert pechac.n_envs * pechac.n_steps / pechac.batch_size == 32
    assert cleanrl.n_envs * cleanrl.n_steps / cleanrl.batch_size == 4
    assert (burda.max_grad_norm, pechac.max_grad_norm) == (None, 0.5)
