"""How an agent's actions become those that EnvPool takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from harness.environments.base import validate_discrete_actions


@dataclass(frozen=True)
class ActionConverter:
    """The actions of one environment.

    Attributes:
        space: What the agent sees.
        convert: Function from a batch of the agent's actions to one that EnvPool takes.
    """

    space: spaces.Discrete | spaces.Box
    convert: Callable[[np.ndarray], np.ndarray]


def discrete_converter(space: spaces.Space[Any]) -> ActionConverter:
    """Actions 0 to n - 1, whatever number EnvPool's first one has.

    Raises:
        TypeError: The space is not discrete.
    """
    if not isinstance(space, spaces.Discrete):
        raise TypeError(f"discrete actions need a Discrete space, not {space}")
    n, start = int(space.n), int(space.start)

    def convert(actions: np.ndarray) -> np.ndarray:
        actions = validate_discrete_actions(actions, n)
        return actions + start if start else actions

    return ActionConverter(spaces.Discrete(n), convert)


def scaled_converter(space: spaces.Space[Any]) -> ActionConverter:
    """Actions float32 from -1 to 1 in every dimension, mapped linearly to EnvPool's range.

    Raises:
        TypeError: The space is not a box.
        ValueError: The box has no bounds to map to; one wider than a million counts as unbounded.
    """
    if not isinstance(space, spaces.Box):
        raise TypeError(f"continuous actions need a Box, not {space}")
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    if not (high - low < 1e6).all():
        raise ValueError(f"actions without bounds cannot be scaled: {space}")
    agent = spaces.Box(-1.0, 1.0, space.shape, np.float32)
    if (low == -1).all() and (high == 1).all():
        return ActionConverter(agent, np.asarray)
    half = (high - low) / 2
    return ActionConverter(agent, lambda actions: low + (actions + 1.0) * half)
