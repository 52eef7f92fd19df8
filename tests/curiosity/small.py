"""Small worlds, and transitions in them, for the tests beside this file."""

from __future__ import annotations

import numpy as np
import torch
from gymnasium import spaces

from harness import Spaces, Transitions

VECTORS = Spaces(spaces.Box(-1, 1, (5,), np.float32), spaces.Discrete(3))
CONTINUOUS = Spaces(spaces.Box(-1, 1, (5,), np.float32), spaces.Box(-1, 1, (2,), np.float32))
IMAGES = Spaces(spaces.Box(0, 255, (2, 13, 16), np.uint8), spaces.Discrete(3), frame_channels=1)
N = 3


def rollout(world: Spaces, steps: int, seed: int = 0, ends: float = 0.1) -> Transitions:
    """T * N transitions in time order, of what a method sees of unrelated states that fill all frames."""
    random, n = torch.Generator().manual_seed(seed), steps * N
    shape = world.observation.shape
    assert shape is not None
    if world.frame_channels is not None:
        obs, following = (torch.randint(0, 256, (n, *shape), generator=random, dtype=torch.uint8) for _ in range(2))
    else:
        obs, following = (torch.randn(n, *shape, generator=random) for _ in range(2))
    action = torch.randint(0, 3, (n,), generator=random)
    if isinstance(world.action, spaces.Box):
        action = torch.rand(n, *world.action.shape, generator=random)
    done = torch.rand(n, generator=random) < ends
    return Transitions(obs, action, following, torch.zeros(n), done, torch.zeros_like(done), torch.arange(N).repeat(steps))


def step(batch: Transitions, t: int) -> Transitions:
    """The N transitions of one step."""
    return batch[slice(t * N, (t + 1) * N)]


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])
