"""What this package gives the harness. Imported whenever the harness starts, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> Sequence[EnvironmentFamily]:
    """The environment family ``cliff``."""
    return [
        EnvironmentFamily(
            name="cliff",
            make="harness_cliff.environment:make",
            config="harness_cliff.config:CliffConfig",
            example={"width": 4, "height": 3, "episode_steps": 20},  # for `harness check`: small, with short episodes
            summary="A windy grid: the way to the only reward leads along a cliff.",
            source="after Sutton and Barto 2018, Reinforcement Learning, example 6.6",
            n_envs=32,
        )
    ]
