"""From a configuration to its environments."""

from __future__ import annotations

from functools import partial

import numpy as np
from gymnasium import spaces

from harness.environments.vector.batch import GymnasiumVecEnv
from harness_crafter.config import CrafterConfig
from harness_crafter.world import ACTIONS, METRICS, make_world

_CHANNELS = 3


def make(config: CrafterConfig, n_envs: int, *, threads: int = 1) -> GymnasiumVecEnv:
    """N worlds.

    Args:
        config: The worlds' settings.
        n_envs: N, the number of environments that step together.
        threads: Processes that step them; with one, it is this process. The numbers do not depend on it.
    """
    return GymnasiumVecEnv(
        [partial(make_world, config) for _ in range(n_envs)],
        spaces.Box(0, 255, (_CHANNELS, config.size, config.size), np.uint8),
        spaces.Discrete(ACTIONS),
        processes=threads,
        metrics=METRICS,
        frame_channels=_CHANNELS,
    )
