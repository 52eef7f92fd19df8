"""A family whose tasks share domains, as those of DeepMind Control do: DeepSea grids that differ in what an action means."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from harness import EnvironmentFamily, HarnessVecEnv, hookimpl
from harness_deep_sea.config import DeepSeaConfig
from support.distributions import install

TESTS_FOLDER = str(Path(__file__).parents[1])
GOALS = ("stand", "walk", "run", "hop")


class ReefConfig(DeepSeaConfig):
    """A DeepSea with a domain."""

    task_field: ClassVar[str] = "goal"

    domain: str = "reef"
    """Tasks of one domain have grids of one size."""

    goal: Literal["stand", "walk", "run", "hop"]
    """Which action means right in which cell."""


@hookimpl
def harness_environments() -> Sequence[EnvironmentFamily]:
    return [EnvironmentFamily(name="reef", make="support.domains:make", config="support.domains:ReefConfig")]


def make(config: ReefConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """The DeepSea that belongs to the goal."""
    from harness_deep_sea.environment import DeepSeaVecEnv

    return DeepSeaVecEnv(config.model_copy(update={"mapping_seed": GOALS.index(config.goal)}), n_envs)


def install_domains(site: Path) -> str:
    """Make the family known to new processes; returns their ``PYTHONPATH``."""
    install(site, "reef-package", "1.0", {"reef": "support.domains"})
    return os.pathsep.join([str(site), TESTS_FOLDER])
