"""From a configuration to its environments."""

from __future__ import annotations

from harness import HarnessVecEnv
from harness_procgen.config import ProcGenConfig
from harness_procgen.wrappers import RandomActions, StackedFrames


def make(config: ProcGenConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """N copies of one game: observations uint8 ``(N, 3 * stack, 64, 64)``.

    Args:
        config: The game, its levels and what is seen of them.
        n_envs: N, the number of games that step together.
        threads: C++ threads that step them; the numbers do not depend on it.
    """
    env = _make_games(config, n_envs, threads)
    if config.random_action:
        env = RandomActions(env, config.random_action)
    if config.stack > 1:
        env = StackedFrames(env, config.stack)
    return env


def _make_games(config: ProcGenConfig, n_envs: int, threads: int) -> HarnessVecEnv:
    if config.chosen_backend == "gym3":
        from harness_procgen.with_gym3 import Gym3Games

        return Gym3Games(config, n_envs, threads=threads)
    from harness_procgen.with_envpool import EnvPoolGames

    return EnvPoolGames(config, n_envs, threads=threads)
