"""What this package gives the harness: the environment family ``mazes``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="mazes",
            make="harness_mazes.environment:make",
            config="harness_mazes.config:MazeConfig",
            example={"task": "point_umaze", "episode_steps": 30},
            n_envs=8,
            packages=("envpool", "gymnasium-robotics", "mujoco"),
            summary="A ball (EnvPool) or an ant (gymnasium-robotics, MuJoCo) in a maze, with a reward at the goal only",
            source="Fu et al. 2020, arXiv 2004.07219; gymnasium-robotics, de Lazcano et al. 2023; EnvPool: Weng et al. 2022, "
            "arXiv 2206.10558",
            requires="EnvPool, gymnasium-robotics and MuJoCo 3: pip install 'exploration-harness[mazes]'",
        )
    ]
