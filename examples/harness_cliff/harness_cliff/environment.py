"""A grid with a cliff, after example 6.6 of Sutton and Barto (2018), with wind and a reward at the goal only.

The agent begins in the lower left corner. The goal is the lower right one, and the lowest row between them is cliff.
Wind leads some steps down. Reaching the goal earns 1, nothing else earns anything; goal and cliff terminate the
episode. All N grids step together in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from harness import NO_INFO, HarnessVecEnv, episode_end_info
from harness.environments.places import PlaceMap
from harness_cliff.config import CliffConfig

UP, RIGHT, DOWN, LEFT = range(4)
_ROWS, _COLUMNS = np.array([-1, 0, 1, 0]), np.array([0, 1, 0, -1])  # where each action leads
_GROUND, _CLIFF, _GOAL, _AGENT = (240, 236, 226), (190, 60, 50), (60, 150, 80), (40, 90, 170)
_CELL_PIXELS = 12


def make(config: CliffConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """N grids; NumPy needs one thread, whatever ``threads`` says."""
    return CliffVecEnv(config, n_envs)


class CliffVecEnv(HarnessVecEnv):
    """N grids, see the module; `harness.HarnessVecEnv` says what is promised.

    Observations are float32 ``(N, height * width)``, 1 at the agent's cell. An episode's metrics are ``success``,
    ``fell`` and ``farthest``, the farthest column reached as a share of the last.

    Args:
        config: The grid.
        n_envs: N.
    """

    exact_state: ClassVar[bool] = True  # state_dict holds everything, so resuming need not repeat any step

    def __init__(self, config: CliffConfig, n_envs: int) -> None:
        cells = spaces.Box(0.0, 1.0, (config.height * config.width,), np.float32)
        super().__init__(n_envs, cells, spaces.Discrete(4))
        self.config = config
        self._row, self._column, self._farthest, self._time = (np.zeros(n_envs, np.int64) for _ in range(4))
        self._seed, self._episode = np.arange(n_envs), np.full(n_envs, -1)
        self._gusts = np.zeros((n_envs, config.episode_steps), bool)

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere, with the seeds given to `reseed` since the last reset, if any."""
        for env, seed in enumerate(self._seeds):
            if seed is not None:
                self._seed[env], self._episode[env] = seed, -1
        self._reset_seeds()
        self._begin(np.arange(self.num_envs))
        return self._observations()

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step: up, right, down or left."""
        self._actions = np.asarray(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Finish it; where an episode ends, the next one begins at once."""
        bottom, end = self.config.height - 1, self.config.width - 1
        moves = np.where(self._gusts[np.arange(self.num_envs), self._time], DOWN, self._actions)
        self._row = np.clip(self._row + _ROWS[moves], 0, bottom)
        self._column = np.clip(self._column + _COLUMNS[moves], 0, end)
        self._farthest = np.maximum(self._farthest, self._column)
        self._time += 1
        self._came_to = self._row * self.config.width + self._column
        goal = (self._row == bottom) & (self._column == end)
        fell = (self._row == bottom) & (self._column > 0) & (self._column < end)
        dones = goal | fell | (self._time == self.config.episode_steps)
        observations, infos = self._observations(), [NO_INFO] * self.num_envs
        if dones.any():
            ended = np.flatnonzero(dones)
            for env in ended.tolist():
                infos[env] = self._end_info(env, observations[env].copy(), bool(goal[env]), bool(fell[env]))
            self._begin(ended)
            observations = self._observations()
        return observations, goal.astype(np.float32), dones, infos

    def follow_places(self) -> PlaceMap:
        """The grid, cliff included: that is where they fall."""
        return PlaceMap(self.config.height, self.config.width)

    def places(self) -> np.ndarray:
        """The cell to which the last step has led each agent, the last one of an episode too."""
        return self._came_to

    def picture(self, observation: np.ndarray, env: int | None) -> np.ndarray:
        """The grid from above: the cliff in red, the goal in green, the agent in blue."""
        cells = np.full((self.config.height, self.config.width, 3), _GROUND, np.uint8)
        cells[-1, 1:-1], cells[-1, -1] = _CLIFF, _GOAL
        cells[observation.reshape(cells.shape[:2]) > 0] = _AGENT
        return cells.repeat(_CELL_PIXELS, axis=0).repeat(_CELL_PIXELS, axis=1)

    def close(self) -> None:
        """Nothing to release."""

    def state_dict(self) -> dict[str, Any]:
        """Where everyone is. The wind follows from an environment's seed and the number of its episode."""
        return {name: getattr(self, f"_{name}").copy() for name in _STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue exactly where `state_dict` was called."""
        for name in _STATE:
            setattr(self, f"_{name}", np.array(state[name]))
        self._draw(np.arange(self.num_envs))

    def _begin(self, envs: np.ndarray) -> None:
        self._row[envs] = self.config.height - 1
        self._column[envs] = self._farthest[envs] = self._time[envs] = 0
        self._episode[envs] += 1
        self._draw(envs)

    def _draw(self, envs: np.ndarray) -> None:
        for env in envs.tolist():
            rng = np.random.default_rng([int(self._seed[env]), int(self._episode[env])])
            self._gusts[env] = rng.random(self.config.episode_steps) < self.config.wind

    def _observations(self) -> np.ndarray:
        cells = np.zeros((self.num_envs, self.config.height * self.config.width), np.float32)
        cells[np.arange(self.num_envs), self._row * self.config.width + self._column] = 1
        return cells  # a new array at every step: callers keep what they get

    def _end_info(self, env: int, last: np.ndarray, success: bool, fell: bool) -> dict[str, Any]:
        farthest = float(self._farthest[env] / (self.config.width - 1))
        metrics = {"success": float(success), "fell": float(fell), "farthest": farthest}
        return episode_end_info(last, truncated=not (success or fell), metrics=metrics)


_STATE = ("row", "column", "farthest", "time", "seed", "episode")
