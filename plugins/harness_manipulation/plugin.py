"""What this package gives the harness: the environment family ``manipulation``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="manipulation",
            make="harness_manipulation.environment:make",
            config="harness_manipulation.config:ManipulationConfig",
            example={"task": "fetch_reach", "episode_steps": 20},
            n_envs=32,
            packages=("envpool",),
            summary="Fetch, Adroit and MetaWorld with a reward for success only, stepped by EnvPool's C++ threads",
            source="Plappert et al. 2018, arXiv 1802.09464; Rajeswaran et al. 2018, arXiv 1709.10087; Yu et al. 2019, arXiv "
            "1910.10897; EnvPool: Weng et al. 2022, arXiv 2206.10558",
            requires="EnvPool: pip install 'exploration-harness[manipulation]'",
        )
    ]
