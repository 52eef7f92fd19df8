"""DeepSea as one `HarnessVecEnv`: N grids that fall in step, without Python work per environment.

Semantics are those of bsuite 0.3.6 (``bsuite/environments/deep_sea.py``). The agent starts in the upper left cell and
falls one row per step, to the left or to the right. Going right costs ``unscaled_move_cost / size``; a right move in
the last column, which only an unbroken series of right moves reaches, earns 1. So the best return is
``1 - unscaled_move_cost``, and giving up at once, with 0, is better than everything in between.

Two differences, neither visible to an agent: observations are flat, row by row, and the noise of the stochastic variant
comes from another generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from harness.environments.base import NO_INFO, HarnessVecEnv, episode_end_info
from harness.environments.places import NOWHERE, PlaceMap
from harness_deep_sea.config import DeepSeaConfig

_EPISODES_PER_DRAW = 32

_CELL_PIXELS = 8
_WATER, _TREASURE, _AGENT, _LINES = (18, 52, 86), (242, 183, 5), (255, 255, 255), (36, 78, 120)


class DeepSeaVecEnv(HarnessVecEnv):
    """A batch of DeepSea grids.

    Observations are float32 ``(n_envs, size * size)``: 1 at the agent's cell, or all 0 once it has left the last row,
    which only terminal observations show. Actions are 0 and 1. Every episode terminates after ``size`` steps, with the
    metrics

    * ``success``: 1 if the goal was reached;
    * ``rightmost``: the farthest column reached, as a share of the last one: how far the agent has explored;
    * ``bad_episode``: 1 if a left move left the diagonal; bsuite's score counts these.

    Args:
        config: Size and variant.
        n_envs: Number of grids that fall together. They share the action mapping.
    """

    exact_state: ClassVar[bool] = True

    def __init__(self, config: DeepSeaConfig, n_envs: int) -> None:
        size = config.size
        super().__init__(n_envs, spaces.Box(0.0, 1.0, (size * size,), np.float32), spaces.Discrete(2))
        self.config = config
        self.action_mapping = _action_mapping(config)
        """Which action means 'right' in each cell, int64 ``(size, size)``."""
        self._move_cost = config.unscaled_move_cost / size
        self._stream_seeds = np.arange(n_envs)
        self._episode = -1
        self._begin_episode()

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere; without `reseed`, environment i has the seed i."""
        if None in self._seeds:
            self._begin_episode()
        else:
            self._stream_seeds, self._episode = np.array(self._seeds), -1
            self._reset_seeds()
            self._begin_episode()
        return self._observations()

    def step_async(self, actions: np.ndarray) -> None:
        """Take one action, 0 or 1, in each environment."""
        self._actions = np.asarray(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Finish the step; all episodes end together, at every ``size``-th one."""
        right = self._actions == self.action_mapping[self._row, self._column]
        goal = right & (self._column == self.config.size - 1)
        rewards = (goal - self._move_cost * right + self._reward_noise()).astype(np.float32)
        self._move(right)
        if self._row < self.config.size:
            return self._observations(), rewards, np.zeros(self.num_envs, bool), [NO_INFO] * self.num_envs
        infos = self._end_of_episodes(goal)
        self._begin_episode()
        return self._observations(), rewards, np.ones(self.num_envs, bool), infos

    def follow_places(self) -> PlaceMap:
        """The grid; the cells to the right of the diagonal are beyond everybody's reach."""
        size = self.config.size
        return PlaceMap(size, size, walls=~np.tri(size, dtype=bool))

    def places(self) -> np.ndarray:
        """The cell to which each agent has fallen: nowhere once it has left the last row."""
        if self._row == 0:
            return np.full(self.num_envs, NOWHERE)
        return self._row * self.config.size + self._column

    def picture(self, observation: np.ndarray, env: int | None) -> np.ndarray:
        """The grid from above: dark water, the goal's cell in yellow, the agent's in white; it is gone after the last row."""
        size = self.config.size
        cells = np.full((size, size, 3), _WATER, np.uint8)
        cells[size - 1, size - 1] = _TREASURE
        cells[observation.reshape(size, size) > 0] = _AGENT
        picture = cells.repeat(_CELL_PIXELS, axis=0).repeat(_CELL_PIXELS, axis=1)
        picture[::_CELL_PIXELS] = picture[:, ::_CELL_PIXELS] = _LINES
        return picture

    def close(self) -> None:
        """Nothing to release."""

    def state_dict(self) -> dict[str, Any]:
        """Where every agent is, and which noise it will meet."""
        return {
            "row": self._row,
            "column": self._column.copy(),
            "rightmost": self._rightmost.copy(),
            "bad_episode": self._bad_episode.copy(),
            "seeds": self._stream_seeds.copy(),
            "episode": self._episode,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue exactly where `state_dict` was called."""
        self._stream_seeds, self._episode = np.array(state["seeds"]), int(state["episode"])
        self._draw_noise()
        self._row, self._column = int(state["row"]), np.array(state["column"])
        self._rightmost, self._bad_episode = np.array(state["rightmost"]), np.array(state["bad_episode"])

    def _begin_episode(self) -> None:
        self._row = 0
        self._column = np.zeros(self.num_envs, np.int64)
        self._rightmost = np.zeros(self.num_envs, np.int64)
        self._bad_episode = np.zeros(self.num_envs, bool)
        self._episode += 1
        if self._episode % _EPISODES_PER_DRAW == 0:
            self._draw_noise()

    def _draw_noise(self) -> None:
        # An episode's noise depends on the environment's seed and the episode's number alone: these two are all the
        # state there is. Many episodes are drawn at once because making a generator costs more than its numbers.
        if self.config.deterministic:
            return
        size, draw = self.config.size, self._episode // _EPISODES_PER_DRAW
        self._transition_draws = np.empty((_EPISODES_PER_DRAW, size, self.num_envs))
        self._reward_draws = np.empty((_EPISODES_PER_DRAW, self.num_envs))
        for i, seed in enumerate(self._stream_seeds.tolist()):
            rng = np.random.default_rng([seed, draw])
            self._transition_draws[:, :, i] = rng.random((_EPISODES_PER_DRAW, size))
            self._reward_draws[:, i] = rng.standard_normal(_EPISODES_PER_DRAW)

    def _reward_noise(self) -> np.ndarray | float:
        last = self.config.size - 1
        if self.config.deterministic or self._row < last:
            return 0.0
        return self._reward_draws[self._episode % _EPISODES_PER_DRAW] * ((self._column == 0) | (self._column == last))

    def _move(self, right: np.ndarray) -> None:
        size, moves_right = self.config.size, np.True_
        if not self.config.deterministic:
            moves_right = self._transition_draws[self._episode % _EPISODES_PER_DRAW, self._row] > 1 / size
        self._bad_episode |= ~right & (self._column == self._row)
        self._column = np.clip(self._column + np.where(right, moves_right, -1), 0, size - 1)
        np.maximum(self._rightmost, self._column, out=self._rightmost)
        self._row += 1

    def _observations(self) -> np.ndarray:
        size = self.config.size
        observations = np.zeros((self.num_envs, size * size), np.float32)
        observations[np.arange(self.num_envs), self._row * size + self._column] = 1
        return observations

    def _end_of_episodes(self, goal: np.ndarray) -> list[dict[str, Any]]:
        terminal = np.zeros((self.num_envs, self.config.size**2), np.float32)
        rightmost = self._rightmost / (self.config.size - 1)
        metrics = zip(goal.tolist(), rightmost.tolist(), self._bad_episode.tolist(), strict=True)
        return [
            episode_end_info(
                observation,
                truncated=False,
                metrics={"success": float(success), "rightmost": right, "bad_episode": float(bad)},
            )
            for observation, (success, right, bad) in zip(terminal, metrics, strict=True)
        ]


def make(config: DeepSeaConfig, n_envs: int, *, threads: int = 1) -> DeepSeaVecEnv:
    """A batch of DeepSea grids; NumPy needs one thread, whatever ``threads`` says."""
    return DeepSeaVecEnv(config, n_envs)


def _action_mapping(config: DeepSeaConfig) -> np.ndarray:
    """Drawn as bsuite draws it, with the generator that it uses, so that equal seeds give equal mappings."""
    shape = (config.size, config.size)
    if not config.randomize_actions:
        return np.ones(shape, np.int64)
    return np.random.RandomState(config.mapping_seed).binomial(1, 0.5, shape).astype(np.int64)
