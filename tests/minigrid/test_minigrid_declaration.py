"""What the family declares of its observations is what reaches the network: the same axes, the same values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from support.specs import make_spec
from torch import Tensor, nn

from harness.errors import UserError
from harness.registry import installed
from harness.training.assembly import Assembly, assemble
from harness_minigrid.config import MiniGridConfig
from harness_minigrid.environment import make
from harness_minigrid.missions import MISSION_SIZE
from harness_minigrid.views import NETWORK_RANGE

IMAGES = {
    "onehot": ({"observation": "onehot"}, 20),
    "onehot-direction": ({"observation": "onehot", "direction": True}, 24),
    "image": ({"observation": "image"}, 3),
    "image-direction": ({"observation": "image", "direction": True}, 4),
}
VECTORS = {
    "flat": ({"observation": "flat"}, 980),
    "flat-direction": ({"observation": "flat", "direction": True}, 984),
    "flat-mission": ({"observation": "flat", "mission": "words"}, 980 + MISSION_SIZE),
    "flat-both": ({"observation": "flat", "direction": True, "mission": "words"}, 984 + MISSION_SIZE),
}
SMALL = {"n_envs": 2, "n_steps": 16, "batch_size": 32, "n_epochs": 1}
ENGINES = ["envpool", "minigrid"]


def assembled(view: dict, network: str, engine: str) -> Assembly:
    environment = {"task": "DoorKey-5x5", "engine": engine, **view}
    spec = make_spec(family="minigrid", environment=environment, algorithm={**SMALL, "network": network})
    return assemble(spec, torch.device("cpu"), installed())


@contextmanager
def trained(view: dict, network: str, engine: str) -> Iterator[tuple[nn.Module, list[Tensor]]]:
    """The policy's first layer with weights, and every batch that reached it in a rollout and its update."""
    parts = assembled(view, network, engine)
    seen: list[Tensor] = []
    try:
        policy: nn.Module = parts.learner.model.policy  # type: ignore[attr-defined]
        first = next(module for module in policy.modules() if isinstance(module, nn.Conv2d | nn.Linear))
        first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
        parts.learner.begin(32)
        parts.learner.iterate()
        yield first, seen
    finally:
        parts.close()


def as_scaled(shown: np.ndarray) -> np.ndarray:
    """What a network is to be given of observations: bytes divided by 255, and other numbers as they are."""
    return shown / np.float32(255) if shown.dtype == np.uint8 else shown


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("view", [*IMAGES, *VECTORS])
def test_the_declared_space_is_what_is_shown(view: str, engine: str):
    settings, size = (IMAGES | VECTORS)[view]
    env = make(MiniGridConfig.model_validate({"task": "DoorKey-5x5", "engine": engine, **settings}), 3)
    images = view in IMAGES
    assert env.observation_space.shape == ((size, 7, 7) if images else (size,))
    assert env.observation_space.dtype == (np.uint8 if images else np.float32)
    assert env.frame_channels == (size if images else None)
    env.reseed([1, 2, 3])
    shown = env.reset()
    assert isinstance(shown, np.ndarray) and shown.dtype == env.observation_space.dtype
    assert shown.flags.c_contiguous and env.step(np.zeros(3, np.int64))[0].flags.c_contiguous  # type: ignore[union-attr]
    assert all(env.observation_space.contains(row) for row in shown)
    low, high = NETWORK_RANGE[settings["observation"]]
    assert low <= as_scaled(shown).min() and as_scaled(shown).max() == pytest.approx(high, rel=0.6)
    if images:  # each cell has one kind: channels come first, whatever their number
        groups = shown[:, :11].astype(int) if settings["observation"] == "onehot" else None
        assert groups is None or (groups.sum(1) == 255).all()
    env.close()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("view", IMAGES)
def test_the_first_layer_gets_the_declared_channels_and_values(view: str, engine: str):
    settings, channels = IMAGES[view]
    with trained(settings, "minigrid", engine) as (first, seen):
        assert isinstance(first, nn.Conv2d) and first.weight.shape == (16, channels, 2, 2)
        batch = torch.cat([one for one in seen if one.shape[1:] == (channels, 7, 7)])
        assert len(batch) == sum(len(one) for one in seen) > 32
        low, high = NETWORK_RANGE[settings["observation"]]
        assert low <= float(batch.min()) and float(batch.max()) <= high * 1.0001
        if settings["observation"] == "onehot":
            assert set(batch.unique().tolist()) == {0.0, 1.0}
            assert (batch[:, :11].sum(1) == 1).all() and (batch[:, 11:17].sum(1) == 1).all()
            assert (batch[:, 17:20].sum(1) == 1).all()
        else:
            assert set((batch * 255).round().unique().tolist()) <= set(map(float, range(11)))


@pytest.mark.parametrize("view", VECTORS)
def test_vectors_reach_the_first_layer_as_they_are(view: str):
    settings, size = VECTORS[view]
    with trained(settings, "sb3", "envpool") as (first, seen):
        assert isinstance(first, nn.Linear) and first.weight.shape[1] == size
        batch = torch.cat(seen)
        assert set(batch.unique().tolist()) == {0.0, 1.0}
        assert (batch[:, :980].sum(1) == 3 * 49).all()


def test_a_network_for_pixels_is_refused_with_a_remedy():
    with pytest.raises(UserError, match=r"images of 7x7 are too small for network sb3.*minigrid"):
        assembled(IMAGES["onehot"][0], "sb3", "envpool")
