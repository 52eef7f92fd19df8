"""What this package gives the harness: the environment family ``vizdoom``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="vizdoom",
            make="harness_vizdoom.environment:make",
            config="harness_vizdoom.config:VizDoomConfig",
            example={"task": "my_way_home", "episode_steps": 20},
            n_envs=16,
            packages=("envpool",),
            summary="MyWayHome, a labyrinth of Doom with one reward, stepped by EnvPool; near, far and farthest starts",
            source="Kempka et al. 2016, arXiv 1605.02097; starts: Pathak et al. 2017, arXiv 1705.05363; EnvPool: Weng et al. "
            "2022, arXiv 2206.10558",
            requires="EnvPool, which brings Doom's engine and the Freedoom game: pip install 'exploration-harness[vizdoom]'",
        )
    ]
