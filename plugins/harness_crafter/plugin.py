"""What this package gives the harness: the environment family ``crafter``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="crafter",
            make="harness_crafter.environment:make",
            config="harness_crafter.config:CrafterConfig",
            example={"episode_steps": 30},
            n_envs=8,
            packages=("crafter",),
            summary="Crafter, an open world with 22 achievements that build on each other; processes step it",
            source="Hafner 2021, arXiv 2109.06780; crafter 1.8.3",
            requires="crafter, pure Python: pip install 'exploration-harness[crafter]'",
        )
    ]
