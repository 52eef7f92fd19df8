"""The arrays through which environments and their batch speak: in this process' memory, or shared with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from gymnasium import spaces

ActionSpace = spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary
"""What an environment of a batch may take."""

BufferFactory = Callable[[int], Any]
"""Makes a writable buffer of so many bytes."""


@dataclass(frozen=True)
class Layout:
    """What a batch of N environments needs room for.

    Attributes:
        n_envs: Number of environments, N.
        observation: Space of one environment's observations.
        action: Space of one environment's actions.
        n_metrics: Number of measurements of each episode beside its return.
    """

    n_envs: int
    observation: spaces.Box
    action: ActionSpace
    n_metrics: int

    def fields(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """The shape and dtype of every array, by the name of its attribute in `SharedArrays`."""
        n, seen = self.n_envs, (self.n_envs, *self.observation.shape)
        return {
            "observations": (seen, np.dtype(self.observation.dtype)),
            "last_observations": (seen, np.dtype(self.observation.dtype)),
            "actions": ((n, *(self.action.shape or ())), np.dtype(self.action.dtype)),
            "rewards": ((n,), np.dtype(np.float32)),
            "terminated": ((n,), np.dtype(np.bool_)),
            "truncated": ((n,), np.dtype(np.bool_)),
            "seeds": ((n,), np.dtype(np.int64)),
            "metrics": ((n, self.n_metrics), np.dtype(np.float64)),
        }


class SharedArrays:
    """One row for each environment in every array.

    Attributes:
        observations: What each environment shows now.
        last_observations: What it showed last, where an episode has ended at this step.
        actions: What it is to do.
        rewards: Reward of each environment, float32 ``(N,)``.
        terminated: Whether each episode ended by itself, bool ``(N,)``.
        truncated: Whether each episode was cut, bool ``(N,)``.
        seeds: Seed of each environment's next reset, -1 for none.
        metrics: Measurements of the episodes that have ended at this step; NaN where one was not measured.

    Args:
        layout: What there must be room for.
        buffers: One for each array, in the order of `Layout.fields`.
    """

    observations: np.ndarray
    last_observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    seeds: np.ndarray
    metrics: np.ndarray

    def __init__(self, layout: Layout, buffers: list[Any]) -> None:
        for (name, (shape, dtype)), buffer in zip(layout.fields().items(), buffers, strict=True):
            setattr(self, name, np.frombuffer(buffer, dtype, prod(shape)).reshape(shape))


def allocate(layout: Layout, buffer: BufferFactory) -> list[Any]:
    """Buffers for a `SharedArrays`, all zeros.

    Args:
        layout: What there must be room for.
        buffer: Makes one, such as ``bytearray``.
    """
    return [buffer(max(1, prod(shape) * dtype.itemsize)) for shape, dtype in layout.fields().values()]
