"""What this package gives the harness: the environment family ``atari``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="atari",
            make="harness_atari.env:make",
            config="harness_atari.config:AtariConfig",
            example={"game": "pong", "episode_steps": 30, "noop_max": 8},
            n_envs=32,
            packages=("ale-py",),
            summary="Atari 2600 games, stepped by ALE's own C++ threads; a task's name is the game",
            source="Bellemare et al. 2013, arXiv 1207.4708; sticky actions after Machado et al. 2018, arXiv 1709.06009",
            requires="ale-py 0.12 with the ROMs that it brings: pip install 'exploration-harness[atari]'",
        )
    ]
