"""From an agent's actions to those of an environment.

An agent counts discrete actions from 0, whatever number the environment's first one has, and gives continuous ones from -1
to 1 in a vector, whatever shape and bounds the environment's have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from harness.errors import UserError

_UNBOUNDED = 1e6  # bounds such as the largest float32 are none that actions could be scaled to

AgentActions = spaces.Discrete | spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary


@dataclass(frozen=True)
class ActionConverter:
    """The actions of one environment.

    Attributes:
        space: What the agent sees.
        convert: Function from an action of the agent, an int or an array, to one that the environment takes.
    """

    space: AgentActions
    convert: Callable[[Any], Any]


def action_converter(space: spaces.Space[Any], limit: float | None) -> ActionConverter:
    """What an agent sees of an environment's actions.

    Args:
        space: Action space of the environment.
        limit: The largest continuous action where the space has no bound; ``None`` if the settings do not say.

    Raises:
        UserError: No algorithm here learns such actions, or a bound is missing.
    """
    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return ActionConverter(spaces.Discrete(int(space.n)), lambda action: action + start)
    if isinstance(space, spaces.Box):
        return _scaled(cast(spaces.Box, space), limit)
    if isinstance(space, spaces.MultiDiscrete):
        several = cast(spaces.MultiDiscrete, space)
        shape, first, dtype = several.shape, several.start, several.dtype
        agent = spaces.MultiDiscrete(several.nvec.reshape(-1).astype(np.int64))
        return ActionConverter(agent, lambda action: (action.reshape(shape) + first).astype(dtype))
    if isinstance(space, spaces.MultiBinary):
        bits_shape = space.shape
        return ActionConverter(spaces.MultiBinary(prod(bits_shape)), lambda action: action.reshape(bits_shape))
    raise UserError(
        f"actions are {space}, which no algorithm here learns: Discrete, Box, MultiDiscrete and MultiBinary can be learnt;"
        " convert them with a wrapper"
    )


def _scaled(space: spaces.Box, limit: float | None) -> ActionConverter:
    if prod(space.shape) == 0:
        raise UserError(f"actions are {space}, which leaves nothing to do; convert them with a wrapper")
    bounds = np.stack([space.low, space.high]).astype(np.float64)
    bounded = np.abs(bounds) < _UNBOUNDED
    if limit is None and not bounded.all():
        raise UserError(f"action_limit: some actions have no bounds ({space}); say how large they may get")
    low, high = np.where(bounded, bounds, np.array([-1.0, 1.0]).reshape(2, *[1] * len(space.shape)) * (limit or 1.0))
    if (low > high).any():
        raise UserError(f"action_limit: {limit:g} lies outside of the actions' other bound ({space})")
    shape, dtype = space.shape, np.dtype(space.dtype)
    whole = dtype.kind in "iub"

    def convert(action: np.ndarray) -> np.ndarray:
        scaled = low + (action.reshape(shape).astype(np.float64) + 1) * ((high - low) / 2)
        return np.asarray(np.clip(np.rint(scaled) if whole else scaled, low, high), dtype)

    return ActionConverter(spaces.Box(-1.0, 1.0, (prod(shape),), np.float32), convert)
