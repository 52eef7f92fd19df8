"""What this package gives the harness: the environment family ``classic_control``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="classic_control",
            make="harness_classic_control.environment:make",
            config="harness_classic_control.config:ClassicControlConfig",
            example={"task": "mountain_car", "episode_steps": 50},
            n_envs=32,
            packages=("envpool",),
            summary="Mountain cars with a reward at the goal only, stepped by EnvPool's C++ threads",
            source="Moore 1990; Gymnasium, Towers et al. 2024, arXiv 2407.17032; EnvPool: Weng et al. 2022, arXiv 2206.10558",
            requires="EnvPool: pip install 'exploration-harness[classic_control]'",
        )
    ]
