"""What this package gives the harness: the environment family ``minigrid`` and a network for its small images."""

from __future__ import annotations

from collections.abc import Sequence

from harness import EnvironmentFamily, Network, hookimpl

_SOURCE = "Chevalier-Boisvert et al. 2023, arXiv 2306.13831"


@hookimpl
def harness_environments() -> Sequence[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="minigrid",
            make="harness_minigrid.environment:make",
            config="harness_minigrid.config:MiniGridConfig",
            example={"task": "DoorKey-5x5", "episode_steps": 40},
            n_envs=32,
            packages=("envpool", "minigrid"),
            summary="MiniGrid's grid worlds, stepped by EnvPool's C++ threads; a task's name is MiniGrid's",
            source=f"{_SOURCE}; EnvPool: Weng et al. 2022, arXiv 2206.10558",
            requires="EnvPool: pip install 'exploration-harness[minigrid]'",
        )
    ]


@hookimpl
def harness_networks() -> Sequence[Network]:
    return [
        Network(
            name="minigrid",
            build="harness_minigrid.networks:MiniGridCNN",
            summary="For images of 7 x 7 cells: three 2 x 2 convolutions, a layer of 128 units, one of 64 for each branch.",
            paper=_SOURCE,
        )
    ]
