"""What the plugin provides: the environment family ``deep_sea``."""

from __future__ import annotations

from collections.abc import Sequence

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> Sequence[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="deep_sea",
            make="harness_deep_sea.environment:make",
            config="harness_deep_sea.config:DeepSeaConfig",
            example={"size": 6, "deterministic": False},
            n_envs=32,
            summary="An N x N grid; only N right moves in a row reach the goal, and what means right differs by cell.",
            source="Osband et al. 2020, Behaviour Suite for Reinforcement Learning, arXiv 1908.03568",
        )
    ]
