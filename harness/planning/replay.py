"""How the runs of a suite come back after an interruption, and how far apart the cuts are that keep this short."""

from __future__ import annotations

from typing import Any

from harness.config import Config, EnvironmentConfig
from harness.spec import SAVES_STATE, training_version
from harness.suites.model import CheckpointBlock

LIMITS_BETWEEN_CUTS = 20
"""Longest episodes that each environment can finish between two cuts; at most one episode in 21 is cut."""


def replay_settings(checkpoint: CheckpointBlock, environment: Config) -> dict[str, Any]:
    """The fields of a `RunSpec` that say how it is resumed.

    Args:
        checkpoint: What the suite says.
        environment: Settings of the run's environments.
    """
    if not isinstance(environment, EnvironmentConfig):
        return {}
    version = training_version(environment)
    if version == SAVES_STATE:
        return {}
    steps, limit = checkpoint.replay_steps, environment.episode_limit
    if steps == "auto":
        steps = LIMITS_BETWEEN_CUTS * limit if limit else None
    return {"training_version": version, "replay_steps": steps}
