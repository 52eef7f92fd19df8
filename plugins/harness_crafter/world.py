"""One world: Crafter's environment as a Gymnasium environment that its seed decides.

Processes that step worlds import this module, so it needs no torch.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

import gymnasium
import numpy as np

from harness_crafter.config import CrafterConfig

ACTIONS = 17
_ACHIEVEMENTS = (
    "collect_coal collect_diamond collect_drink collect_iron collect_sapling collect_stone collect_wood defeat_skeleton "
    "defeat_zombie eat_cow eat_plant make_iron_pickaxe make_iron_sword make_stone_pickaxe make_stone_sword "
    "make_wood_pickaxe make_wood_sword place_furnace place_plant place_stone place_table wake_up"
)
ACHIEVEMENTS = tuple(_ACHIEVEMENTS.split())
METRICS = ("achievements", *ACHIEVEMENTS)


def make_world(config: CrafterConfig) -> CrafterWorld:
    """A world as configured."""
    return CrafterWorld(config)


class CrafterWorld(gymnasium.Env[np.ndarray, int]):
    """Observations uint8 ``(3, size, size)``, red, green and blue.

    Args:
        config: The world's settings.
    """

    def __init__(self, config: CrafterConfig) -> None:
        import crafter

        # Crafter knows one end of an episode only, so the limit is kept here, where it truncates.
        self._env: Any = crafter.Env(size=(config.size, config.size), length=0, seed=0)
        self._env._world.reset = partial(_reset_deterministically, self._env._world)
        self._config = config

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in a new world."""
        if seed is not None:
            self._env._seed, self._env._episode = seed, 0
        self._steps, self._unlocked = 0, frozenset[str]()
        return self._channel_first(self._env.reset()), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Do one of 17 actions."""
        observation, reward, dead, crafter_info = self._env.step(action)
        self._steps += 1
        unlocked = frozenset(name for name, count in crafter_info["achievements"].items() if count > 0)
        if not self._config.health_reward:
            reward = float(len(unlocked) > len(self._unlocked))
        self._unlocked = unlocked
        truncated = self._steps >= self._config.episode_steps
        info: dict[str, Any] = {}
        if dead or truncated:
            each = {name: float(name in unlocked) for name in ACHIEVEMENTS}
            info["metrics"] = {"achievements": float(len(unlocked)), **each}
        return self._channel_first(observation), float(reward), bool(dead), truncated, info

    @staticmethod
    def _channel_first(image: np.ndarray) -> np.ndarray:
        return image.transpose(2, 0, 1)


class _OrderedSet(dict[Any, None]):
    """What Crafter asks of a set, but iterated in the order of adding."""

    def add(self, item: Any) -> None:
        self[item] = None

    def remove(self, item: Any) -> None:
        del self[item]


def _reset_deterministically(world: Any, seed: int | None = None) -> None:
    # Crafter keeps a region's creatures in a set and draws one of them: which one depended on addresses in memory.
    type(world).reset(world, seed)
    world._chunks = defaultdict(_OrderedSet)
