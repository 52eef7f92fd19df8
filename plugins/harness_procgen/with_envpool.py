"""The games in EnvPool's threads."""

from __future__ import annotations

from functools import partial

import numpy as np

from harness.environments.envpool import EnvPoolTask, EnvPoolVecEnv, Images, Pool, discrete_converter
from harness_procgen import qt
from harness_procgen.config import ProcGenConfig
from harness_procgen.measurements import LevelMetrics


class EnvPoolGames(EnvPoolVecEnv):
    """N copies of one game: observations uint8 ``(N, 3, 64, 64)``, rewards as the game gives them.

    Args:
        config: The game and its levels.
        n_envs: Number of environments, N.
        threads: C++ threads that step them.
    """

    def __init__(self, config: ProcGenConfig, n_envs: int, *, threads: int = 1) -> None:
        self._config, self._threads, self._held_out = config, threads, False
        frames, action_space = task(config).spaces()
        levels = partial(LevelMetrics, held_out=config.evaluation_levels == "held_out" if config.num_levels else None)
        super().__init__(self._open, n_envs, Images(frames, 3), discrete_converter(action_space), metrics=levels)

    def enable_metrics(self) -> None:
        """Play the evaluation's levels from the first reset on; each episode's last info holds its `LevelMetrics`."""
        self._held_out = self._config.evaluation_levels == "held_out"
        super().enable_metrics()

    def _open(self, seeds: list[int]) -> Pool:
        seeds = [stream_seed(seed) for seed in seeds]
        return task(self._config, held_out=self._held_out).open(seeds, self._threads)


def task(config: ProcGenConfig, *, held_out: bool = False) -> EnvPoolTask:
    """The game as EnvPool calls it, with the training levels or those that are held out; loads what it draws with."""
    qt.load()
    env_id = f"{config.game.capitalize()}{config.distribution_mode.capitalize()}-v0"
    return EnvPoolTask(env_id, config.options(held_out=held_out))


def stream_seed(seed: int) -> int:
    """The seed that ProcGen's own batch of one environment gives its stream of levels: the first number of a Mersenne Twister.

    EnvPool seeds that stream directly, so that the same seed would give other levels.

    Args:
        seed: A non-negative integer below 2**31.

    Returns:
        The 32 bits of the number, taken as a signed integer as ProcGen does.
    """
    bits = int(np.random.RandomState(seed).randint(0, 2**32, dtype=np.uint32))
    return bits - 2**32 if bits >= 2**31 else bits
