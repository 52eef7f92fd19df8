"""From the settings to N environments."""

from __future__ import annotations

from functools import partial

from harness.environments.gymnasium.adapter import AdaptedEnv
from harness.environments.gymnasium.config import GymnasiumConfig
from harness.environments.vector.batch import GymnasiumVecEnv


def make(config: GymnasiumConfig, n_envs: int, *, threads: int = 1) -> GymnasiumVecEnv:
    """N copies of one environment.

    Args:
        config: The environment, and what an agent sees of it.
        n_envs: N, the number of environments that step together.
        threads: Not used: ``processes`` says how the environments are shared out.

    Raises:
        UserError: It cannot be made here, or no agent here can act in it.
    """
    example = AdaptedEnv(config)  # its spaces are known only once it is made
    example.close()
    return GymnasiumVecEnv(
        [partial(AdaptedEnv, config)] * n_envs,
        example.observation_space,
        example.agent_actions,
        processes=config.processes,
        metrics=tuple(dict.fromkeys(("success", *config.metrics))),
        frame_channels=example.frame_channels,
    )
