"""MiniGrid's own environments, one observation as one row of bytes: what processes without torch can make and step."""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from harness_minigrid.config import MiniGridConfig
from harness_minigrid.tasks import MULTI_ROOM

SIDE = 7
_CELLS = SIDE * SIDE * 3
MISSION_LETTERS = 96  # as many as EnvPool gives
_POSITION = _CELLS + 1 + MISSION_LETTERS
PACKED = spaces.Box(0, 255, (_POSITION + 2,), np.uint8)
"""Cells, direction, letters of the mission and zeros, and the agent's column and row, which agents do not see."""


class PackedWorld(gymnasium.Env[np.ndarray, int]):
    """An environment of MiniGrid whose observations are `PACKED`.

    Args:
        env: The environment of MiniGrid itself.
    """

    def __init__(self, env: gymnasium.Env[dict[str, Any], Any]) -> None:
        self._env = env
        self.observation_space, self.action_space = PACKED, env.action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Draw another level; without a seed, with the random numbers that follow."""
        observation, info = self._env.reset(seed=seed)
        letters = str(observation["mission"]).encode()
        if len(letters) > MISSION_LETTERS:
            raise ValueError(f"the mission {observation['mission']!r} has more than {MISSION_LETTERS} letters")
        self._letters = np.frombuffer(letters.ljust(MISSION_LETTERS, b"\0"), np.uint8)
        return self._pack(observation), info

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take an action."""
        observation, reward, terminated, truncated, _ = self._env.step(action)
        return self._pack(observation), float(reward), bool(terminated), bool(truncated), {}

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _pack(self, observation: dict[str, Any]) -> np.ndarray:
        row = np.empty(PACKED.shape, np.uint8)
        row[:_CELLS], row[_CELLS] = observation["image"].reshape(-1), observation["direction"]
        row[_CELLS + 1 : _POSITION], row[_POSITION:] = self._letters, self._env.agent_pos  # type: ignore[attr-defined]  # of MiniGrid's environments
        return row


def unpack(rows: np.ndarray) -> dict[str, np.ndarray]:
    """Packed observations as EnvPool gives them: ``image``, ``direction`` and ``mission``.

    Args:
        rows: uint8 ``(n, *PACKED.shape)``.
    """
    image, direction, mission, _ = np.split(rows, [_CELLS, _CELLS + 1, _POSITION], axis=1)
    return {"image": image.reshape(-1, SIDE, SIDE, 3), "direction": direction.reshape(-1), "mission": mission}


def positions(rows: np.ndarray) -> np.ndarray:
    """The agents' columns and rows, uint8 ``(n, 2)``.

    Args:
        rows: uint8 ``(n, *PACKED.shape)``.
    """
    return rows[:, _POSITION:]


def make_world(config: MiniGridConfig) -> PackedWorld:
    """One environment of MiniGrid itself.

    Args:
        config: Names the task.
    """
    return PackedWorld(make_original(config))


def make_original(config: MiniGridConfig) -> gymnasium.Env[dict[str, Any], Any]:
    """One environment as the package minigrid makes it, without wrappers.

    Args:
        config: Names the task, and how long an episode is.
    """
    importlib.import_module("minigrid")  # registers its environments

    options = {} if config.episode_steps is None else {"max_steps": config.episode_steps}
    if config.task not in MULTI_ROOM:
        return gymnasium.make(config.registered_id, disable_env_checker=True, **options).unwrapped
    from minigrid.envs.multiroom import MultiRoomEnv

    rooms, size = MULTI_ROOM[config.task]
    return MultiRoomEnv(minNumRooms=rooms, maxNumRooms=rooms, maxRoomSize=size, **options)
