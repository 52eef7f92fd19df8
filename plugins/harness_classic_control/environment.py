"""Mountain cars behind `HarnessVecEnv`: EnvPool's batch with sparse rewards, scaled observations and a measure of coverage."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from harness.environments.envpool import (
    EnvPoolTask,
    EnvPoolVecEnv,
    ObservationConverter,
    Pool,
    Vectors,
    discrete_converter,
    scaled_converter,
)
from harness.environments.episode_metrics import FirstRewardMetrics
from harness.environments.places import PlaceMap, Places
from harness_classic_control.config import ClassicControlConfig

LOW = np.array([-1.2, -0.07], np.float32)
HIGH = np.array([0.6, 0.07], np.float32)
"""Bounds of position and velocity in both tasks (Gymnasium's ``mountain_car.py`` and ``continuous_mountain_car.py``)."""

GOAL = {"mountain_car": 0.5, "mountain_car_continuous": 0.45}
"""Positions from where on an episode has reached the goal."""

_IDS = {"mountain_car": "MountainCar-v0", "mountain_car_continuous": "MountainCarContinuous-v0"}
_BINS = 20

MAP = PlaceMap(
    _BINS,
    _BINS,
    "velocity",
    "position",
    row_range=(float(HIGH[1]), float(LOW[1])),
    column_range=(float(LOW[0]), float(HIGH[0])),
)
"""The plane of position, from left to right, and velocity, from below to above."""


def make(config: ClassicControlConfig, n_envs: int, *, threads: int = 1) -> EnvPoolVecEnv:
    """N cars.

    Args:
        config: The task and what is seen and earned in it.
        n_envs: N, the number of environments that step together.
        threads: C++ threads that step them; the numbers do not depend on it.
    """
    task = EnvPoolTask(_IDS[config.task], {"max_episode_steps": config.episode_steps})
    observation_space, action_space = task.spaces()

    def open_pool(seeds: list[int]) -> Pool:
        pool = task.open(seeds, threads)
        return GoalRewards(pool, GOAL[config.task]) if config.sparse else pool

    actions = discrete_converter(action_space) if config.actions == "discrete" else scaled_converter(action_space)
    view = ScaledState() if config.scaled else Vectors(observation_space)
    metrics = partial(MountainCarMetrics, goal=GOAL[config.task])
    places = Places(MAP, lambda observations, info: _cells(observations))
    return EnvPoolVecEnv(open_pool, n_envs, view, actions, metrics=metrics, draw="engine", places=places)


class GoalRewards:
    """A pool in which the goal earns 1 and nothing else anything.

    Args:
        pool: Whose observations begin with the position.
        goal: The position from where on it is reached; being there ends the episode.
    """

    def __init__(self, pool: Pool, goal: float) -> None:
        self._pool, self._goal = pool, np.float32(goal)

    def send(self, action: np.ndarray, env_id: np.ndarray) -> None:
        """Begin a step."""
        self._pool.send(action, env_id)

    def recv(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Finish it."""
        observations, _, terminated, truncated, info = self._pool.recv()
        return observations, (observations[:, 0] >= self._goal).astype(np.float32), terminated, truncated, info

    def reset(self, env_id: np.ndarray) -> tuple[Any, dict[str, Any]]:
        """Begin new episodes."""
        return self._pool.reset(env_id)

    def render(self, env_id: np.ndarray, side: int) -> np.ndarray:
        """Pictures of the environments ``env_id``."""
        return self._pool.render(env_id, side)


class ScaledState(ObservationConverter):
    """Position and velocity as shares of their range, float32 from -1 to 1."""

    def __init__(self) -> None:
        self.space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._slope, self._offset = 2 / (HIGH - LOW), -(HIGH + LOW) / (HIGH - LOW)

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """One row for each environment."""
        shares = batch * self._slope
        shares += self._offset
        np.maximum(shares, -1, out=shares)
        return np.minimum(shares, 1, out=shares)


class MountainCarMetrics:
    """How far an episode has explored.

    * ``success``, ``time_to_first_reward``: as `harness.environments.episode_metrics.FirstRewardMetrics` has them for sparse
      rewards, whatever the rewards are;
    * ``coverage``: the share of 20 x 20 equal cells of position and velocity that the episode has been in. The valley's energy
      bounds it: no episode comes near 1.

    Args:
        n_envs: Number of environments, N.
        goal: The position from where on it is reached.
    """

    def __init__(self, n_envs: int, goal: float) -> None:
        self._first, self._goal = FirstRewardMetrics(n_envs), np.float32(goal)
        self._visited = np.zeros((n_envs, _BINS * _BINS), bool)
        self._envs = np.arange(n_envs)

    def begin(self, envs: np.ndarray, observations: Any, info: Mapping[str, Any]) -> None:
        """Forget what these environments have done."""
        self._first.begin(envs, observations, info)
        self._visited[envs] = False
        self._mark_visited(envs, observations)

    def step(self, observations: Any, rewards: np.ndarray, info: Mapping[str, Any]) -> None:
        """Take in a step."""
        self._first.step(observations, observations[:, 0] >= self._goal, info)
        self._mark_visited(self._envs, observations)

    def metrics(self, env: int) -> dict[str, float]:
        """The metrics of that environment's running episode."""
        return {**self._first.metrics(env), "coverage": float(self._visited[env].mean())}

    def _mark_visited(self, envs: np.ndarray, observations: np.ndarray) -> None:
        self._visited[envs, _cells(observations)] = True


def _cells(observations: np.ndarray) -> np.ndarray:
    """The cell of `MAP` that each state is in, int64 ``(n,)``."""
    shares = np.clip((observations - LOW) / (HIGH - LOW) * _BINS, 0, _BINS - 1).astype(np.int64)
    return (_BINS - 1 - shares[:, 1]) * _BINS + shares[:, 0]
