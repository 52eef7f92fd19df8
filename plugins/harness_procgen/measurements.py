"""What an episode of a game has come to, beside its return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.environments.episode_metrics import FirstRewardMetrics


class LevelMetrics:
    """Whether an episode solved its level, and when it found its first reward.

    * ``success``: 1 if the level was solved. What that is differs by game: all stars of Climber, the coin of CoinRun;
    * ``time_to_first_reward``: as `harness.environments.episode_metrics.FirstRewardMetrics` counts it;
    * ``held_out``: 1 if the level is none of training's; only where some are held out.

    Args:
        n_envs: Number of environments, N.
        held_out: Whether levels are held out; ``None`` where there are none to hold out.
    """

    def __init__(self, n_envs: int, held_out: bool | None) -> None:
        self._first = FirstRewardMetrics(n_envs)
        self._solved = np.zeros(n_envs, bool)
        self._constant = {} if held_out is None else {"held_out": float(held_out)}

    def begin(self, envs: np.ndarray, observations: Any, info: Mapping[str, Any]) -> None:
        """Forget what these environments have done."""
        self._first.begin(envs, observations, info)
        self._solved[envs] = False

    def step(self, observations: Any, rewards: np.ndarray, info: Mapping[str, Any]) -> None:
        """Take in a step; ``info["prev_level_complete"]`` says whose level it solved."""
        self._first.step(observations, rewards, info)
        self._solved |= info["prev_level_complete"].astype(bool)

    def metrics(self, env: int) -> dict[str, float]:
        """The metrics of that environment's running episode."""
        return {**self._first.metrics(env), "success": float(self._solved[env]), **self._constant}
