"""All methods of the package in small worlds, for the tests beside this file."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from harness import Spaces, Transitions
from harness_snd import configs
from harness_snd.plugin import harness_methods
from harness_snd.reward import SND

NAMES = [method.name for method in harness_methods()]
SMALL = {
    "feature_dim": 16,
    "hidden": [24, 12],
    "predictor_layers": 1,
    "learning_rate": 1e-3,
    "minibatches": 4,
    "target_channels": [4, 6, 8],
    "predictor_channels": [4, 6, 8],
}
HEADS = {"snd_simclr": {"projector": [12, 8]}, "snd_byol": {"projector": [12, 8], "prediction_hidden": 12}}
VECTORS = Spaces(spaces.Box(-1, 1, (5,), np.float32), spaces.Discrete(3))
CONTINUOUS = Spaces(spaces.Box(-1, 1, (5,), np.float32), spaces.Box(-1, 1, (2,), np.float32))
IMAGES = Spaces(spaces.Box(0, 255, (4, 16, 16), np.uint8), spaces.Discrete(3), frame_channels=1)
WORLDS = {"vectors": VECTORS, "continuous": CONTINUOUS, "images": IMAGES}
N = 3

every_method = pytest.mark.parametrize("name", NAMES)
every_world = pytest.mark.parametrize("world", WORLDS)


def method_class(name: str) -> type[SND]:
    (method,) = [method for method in harness_methods() if method.name == name]
    module, _, attribute = method.reward.partition(":")
    return getattr(importlib.import_module(module), attribute)


def config_class(name: str) -> type[configs.SNDConfig]:
    (method,) = [method for method in harness_methods() if method.name == name]
    return getattr(configs, method.config.partition(":")[2])


def make(name: str, world: str | Spaces = "vectors", seed: int = 0, n_envs: int = N, **config: Any) -> SND:
    settings = {**SMALL, **HEADS.get(name, {}), **config}
    place = WORLDS[world] if isinstance(world, str) else world
    return method_class(name)(config_class(name)(**settings), place, n_envs, "cpu", seed)


def rollout(steps: int, world: str = "vectors", seed: int = 0) -> Transitions:
    """T * N transitions in time order, of what a method sees."""
    random, n = torch.Generator().manual_seed(seed), steps * N
    if world == "images":
        obs, next_obs = (torch.randint(0, 256, (n, 1, 16, 16), generator=random, dtype=torch.uint8) for _ in range(2))
    else:
        obs, next_obs = (torch.randn(n, 5, generator=random) for _ in range(2))
    action = torch.randint(0, 3, (n,), generator=random)
    if world == "continuous":
        action = torch.rand(n, 2, generator=random)
    done = torch.rand(n, generator=random) < 0.1
    return Transitions(obs, action, next_obs, torch.zeros(n), done, torch.zeros_like(done), torch.arange(N).repeat(steps))


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])
