"""A T-maze after Bakker (2001): what was seen at the start decides, at the other end, where to turn.

All cells of the corridor look alike, so an agent that decides from the present observation alone turns the same way
whatever the cue was, and is right in half of the episodes on average. All N mazes step together in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from harness import NO_INFO, HarnessVecEnv, episode_end_info
from harness_tmaze.config import TMazeConfig

LEFT, RIGHT, AHEAD, BACK = range(4)
_START, _CORRIDOR, _JUNCTION = range(2, 5)  # what is seen of a place, after two numbers for the cue
_MOVES = np.array([0, 0, 1, -1])


def make(config: TMazeConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """N mazes; NumPy needs one thread, whatever ``threads`` says."""
    return TMazeVecEnv(config, n_envs)


class TMazeVecEnv(HarnessVecEnv):
    """N mazes, see the module; `harness.HarnessVecEnv` says what is promised.

    Observations are float32 ``(N, 5)``, zeros but for two ones at most: the cue (left, right), where it is seen, and
    the place (start, corridor, junction). Turning at the junction ends the episode and earns 1 in the arm of the cue,
    0 in the other. Turning elsewhere and walking into a wall leave the agent where it is. An episode's metrics are
    ``success`` and ``turned``.

    Args:
        config: The maze.
        n_envs: N.
    """

    exact_state: ClassVar[bool] = True  # state_dict holds everything, so resuming need not repeat any step

    def __init__(self, config: TMazeConfig, n_envs: int) -> None:
        super().__init__(n_envs, spaces.Box(0.0, 1.0, (5,), np.float32), spaces.Discrete(4))
        self.config = config
        self._place, self._time, self._cue = (np.zeros(n_envs, np.int64) for _ in range(3))
        self._seed, self._episode = np.arange(n_envs), np.full(n_envs, -1)

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere, with the seeds given to `reseed` since the last reset, if any."""
        for env, seed in enumerate(self._seeds):
            if seed is not None:
                self._seed[env], self._episode[env] = seed, -1
        self._reset_seeds()
        self._begin(np.arange(self.num_envs))
        return self._observations()

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step: left, right, ahead or back."""
        self._actions = np.asarray(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Finish it; where an episode ends, the next one begins at once."""
        turned = (self._place == self.config.length) & (self._actions <= RIGHT)
        paid = turned & (self._actions == self._cue)
        self._place = np.clip(self._place + _MOVES[self._actions], 0, self.config.length)
        self._time += 1
        dones = turned | (self._time == self.config.episode_steps)
        observations, infos = self._observations(), [NO_INFO] * self.num_envs
        if dones.any():
            ended = np.flatnonzero(dones)
            for env in ended.tolist():
                metrics = {"success": float(paid[env]), "turned": float(turned[env])}
                infos[env] = episode_end_info(observations[env].copy(), truncated=not turned[env], metrics=metrics)
            self._begin(ended)
            observations = self._observations()
        return observations, paid.astype(np.float32), dones, infos

    def close(self) -> None:
        """Nothing to release."""

    def state_dict(self) -> dict[str, Any]:
        """Where everyone is. Cues follow from an environment's seed and the number of its episode."""
        return {name: getattr(self, f"_{name}").copy() for name in _STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue exactly where `state_dict` was called."""
        for name in _STATE:
            setattr(self, f"_{name}", np.array(state[name]))

    def _begin(self, envs: np.ndarray) -> None:
        self._place[envs] = self._time[envs] = 0
        self._episode[envs] += 1
        for env in envs.tolist():
            self._cue[env] = np.random.default_rng([int(self._seed[env]), int(self._episode[env])]).integers(2)

    def _observations(self) -> np.ndarray:
        seen = np.zeros((self.num_envs, 5), np.float32)
        cued = self._place == 0 if self.config.cue == "start" else np.ones(self.num_envs, bool)
        seen[cued, self._cue[cued]] = 1
        places = np.select([self._place == 0, self._place == self.config.length], [_START, _JUNCTION], _CORRIDOR)
        seen[np.arange(self.num_envs), places] = 1
        return seen  # a new array at every step: callers keep what they get


_STATE = ("place", "time", "cue", "seed", "episode")
