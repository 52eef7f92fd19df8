"""What this package gives the harness. Imported whenever the harness starts, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> Sequence[EnvironmentFamily]:
    """The environment family ``tmaze``."""
    return [
        EnvironmentFamily(
            name="tmaze",
            make="harness_tmaze.environment:make",
            config="harness_tmaze.config:TMazeConfig",
            example={"length": 3, "episode_steps": 12},  # for `harness check`: short episodes
            summary="A corridor that ends in two arms; a cue at its beginning says which of them pays.",
            source="after Bakker 2001, Reinforcement Learning with Long Short-Term Memory (the T-maze)",
            n_envs=16,
        )
    ]
