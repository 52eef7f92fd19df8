"""From a configuration to its environments."""

from __future__ import annotations

from harness import HarnessVecEnv
from harness_dm_control.config import DmControlConfig


def make(config: DmControlConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """N copies of one task.

    Args:
        config: The task, and whether its states or its images are seen.
        n_envs: N, the number of environments that step together.
        threads: C++ threads that step states; the numbers do not depend on it. Images are rendered in one.
    """
    if config.from_pixels:
        from harness_dm_control import pixels

        return pixels.make(config, n_envs)
    from harness_dm_control import states

    return states.make(config, n_envs, threads=threads)
