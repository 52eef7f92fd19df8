"""The batch of the ``procgen`` package with one seed for each environment. Needs gym3, procgen and NumPy only, no harness.

ProcGen takes one seed for a batch and derives all others from it. Here every environment is put into the state of a batch of
one with its own seed, so that what it plays depends on that seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from procgen import ProcgenGym3Env  # type: ignore[import-not-found]  # installed only where its wheels exist

_RESTART = -1  # the action that ends an episode at once


class Gym3Batch:
    """N copies of one game that step together.

    Args:
        game: ProcGen's name of it.
        mode: The value of ProcGen's ``distribution_mode``.
        options: Further options by ProcGen's names.
        seeds: N, below 2**31.
        threads: C++ threads; one is the calling thread itself.
    """

    def __init__(self, game: str, mode: str, options: Mapping[str, Any], seeds: Sequence[int], threads: int = 1) -> None:
        shared = {"env_name": game, "distribution_mode": mode, **options}
        states: list[bytes] = []
        for seed in seeds:
            single = ProcgenGym3Env(num=1, num_threads=0, rand_seed=seed, **shared)
            states += single.callmethod("get_state")
            single.close()
        self._env = ProcgenGym3Env(num=len(seeds), num_threads=0 if threads == 1 else threads, rand_seed=0, **shared)
        self._env.callmethod("set_state", states)

    def observe(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rewards of the last actions, frames uint8 ``(N, 3, 64, 64)``, and which frames begin an episode."""
        rewards, observations, first = self._env.observe()
        return rewards.copy(), np.ascontiguousarray(observations["rgb"].transpose(0, 3, 1, 2)), first.copy()

    def info(self) -> dict[str, np.ndarray]:
        """What ProcGen says of the last step: ``level_seed``, ``prev_level_seed``, ``prev_level_complete``, each ``(N,)``."""
        rows = self._env.get_info()
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def act(self, actions: np.ndarray) -> None:
        """Take the actions ``(N,)``."""
        self._env.act(actions.astype(np.int32))

    def restart(self) -> None:
        """Begin a new level everywhere."""
        self._env.act(np.full(self._env.num, _RESTART, np.int32))

    def close(self) -> None:
        """End its threads."""
        self._env.close()
