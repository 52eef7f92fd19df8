"""What learners that drive an algorithm of Stable-Baselines3 have in common."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

ModelT = TypeVar("ModelT", bound=BaseAlgorithm)


class StableBaselinesLearner(Generic[ModelT]):
    """The part of `harness.algorithms.base.Learner` that is the same on- and off-policy.

    Attributes:
        model: SB3's; a subclass sets it.
    """

    model: ModelT

    def __init__(self) -> None:
        self._iteration = 0
        self._callback: BaseCallback

    @property
    def step(self) -> int:
        """Steps taken, over all environments."""
        return self.model.num_timesteps

    @property
    def observations(self) -> np.ndarray:
        """What the environments show now, ``(N, *shape)``."""
        observations = self.model._last_obs
        assert isinstance(observations, np.ndarray)
        return observations

    def begin(self, total_steps: int) -> None:
        """Reset the environments and prepare for ``total_steps`` steps."""
        _, self._callback = self.model._setup_learn(total_steps, None)

    def predict(self, observations: np.ndarray, *, deterministic: bool) -> np.ndarray:
        """Actions ``(N, ...)`` for evaluation."""
        return self.model.predict(observations, deterministic=deterministic)[0]

    def _counters(self) -> dict[str, Any]:
        """What counts on from one iteration to the next, as part of a learner's `state_dict`."""
        model = self.model
        assert model.ep_info_buffer is not None
        return {
            "iteration": self._iteration,
            "num_timesteps": model.num_timesteps,
            "n_updates": model._n_updates,
            "progress_remaining": model._current_progress_remaining,
            "episodes": [{"r": float(episode["r"]), "l": int(episode["l"])} for episode in model.ep_info_buffer],
        }

    def _load_counters(self, state: Mapping[str, Any]) -> None:
        model = self.model
        self._iteration = state["iteration"]
        model.num_timesteps = state["num_timesteps"]
        model._n_updates = state["n_updates"]
        model._current_progress_remaining = state["progress_remaining"]
        model.ep_info_buffer = deque(state["episodes"], maxlen=model._stats_window_size)

    def _episode_means(self) -> dict[str, float]:
        """Mean return and length over the latest training episodes, unclipped, as SB3 names them."""
        episodes = self.model.ep_info_buffer
        if not episodes:
            return {}
        return {
            "rollout/ep_rew_mean": float(np.mean([float(episode["r"]) for episode in episodes])),
            "rollout/ep_len_mean": float(np.mean([float(episode["l"]) for episode in episodes])),
        }
