"""Proto-RL in small worlds, for its tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from harness import Spaces, Transitions
from harness_proto_rl.config import ProtoRLConfig
from harness_proto_rl.reward import ProtoRL

SMALL = {
    "channels": 4,
    "hidden": (12,),
    "projection_dim": 6,
    "predictor_hidden": 10,
    "prototypes": 5,
    "queue_size": 17,
    "neighbours": 2,
    "learning_rate": 1e-3,
}
_ACTIONS = spaces.Box(-1, 1, (2,), np.float32)
VECTORS = Spaces(spaces.Box(-np.inf, np.inf, (5,), np.float32), _ACTIONS)
IMAGES = Spaces(spaces.Box(0, 255, (6, 20, 16), np.uint8), _ACTIONS, frame_channels=3)
WORLDS = {"vectors": VECTORS, "images": IMAGES}


def make(world: str = "vectors", seed: int = 0, **config: Any) -> ProtoRL:
    return ProtoRL(ProtoRLConfig(**{**SMALL, **config}), WORLDS[world], 1, "cpu", seed)


def batch(n: int, world: str = "vectors", seed: int = 0) -> Transitions:
    """B unrelated transitions."""
    random = torch.Generator().manual_seed(seed)
    shape = WORLDS[world].observation.shape
    assert shape is not None
    if world == "images":
        obs, next_obs = (torch.randint(0, 256, (n, *shape), generator=random, dtype=torch.uint8) for _ in range(2))
    else:
        obs, next_obs = (torch.randn(n, *shape, generator=random) for _ in range(2))
    never = torch.zeros(n, dtype=torch.bool)
    action = torch.rand(n, 2, generator=random)
    return Transitions(obs, action, next_obs, torch.zeros(n), never, never, torch.zeros(n, dtype=torch.int64))


def gradient_step(proto: ProtoRL, transitions: Transitions) -> tuple[dict[str, float], torch.Tensor]:
    """What an off-policy learner does with a sampled batch: metrics of the update, and the bonuses."""
    metrics = proto.update(transitions)
    proto.observe_batch(transitions)
    return metrics, proto.bonus(transitions)


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])
