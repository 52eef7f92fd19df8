"""A plugin with two of everything, for tests of what the core does with plugins. Nothing in it can be run."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from harness import (
    Algorithm,
    AlgorithmConfig,
    AlgorithmPreset,
    EnvironmentConfig,
    EnvironmentFamily,
    IntrinsicRewardConfig,
    Method,
)
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo
from harness.registry.hooks import Network, Preset


class MazeConfig(EnvironmentConfig):
    task_field: ClassVar[str] = "map"

    map: Literal["ring", "cross"]
    """Which maze."""

    width: int = Field(default=5, gt=0)
    height: int = 5
    walls: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> MazeConfig:
        if self.width * self.height > 100:
            raise ValueError(f"width x height is {self.width * self.height}, more than 100 cells")
        return self


class BanditConfig(EnvironmentConfig):
    arms: int = 10


class ClockConfig(EnvironmentConfig):
    length: int = 20
    saved: bool = False

    @property
    def episode_limit(self) -> int:
        return self.length

    @property
    def saves_state(self) -> bool:
        return self.saved


class ClimbConfig(AlgorithmConfig):
    kind: ClassVar[Literal["on_policy", "off_policy"]] = "on_policy"

    n_envs: int = 2
    n_steps: int = 4
    rate: float = 0.1

    @property
    def steps_per_iteration(self) -> int:
        return self.n_envs * self.n_steps


class DuoConfig(ClimbConfig):
    sequences: ClassVar[bool] = True
    combine_modes: ClassVar[frozenset[str]] = frozenset({"sum", "two_critics"})

    network: str = "flat"

    @property
    def network_name(self) -> str:
        return self.network


class NovelConfig(IntrinsicRewardConfig):
    scale: float = 1.0
    memory: int = 100
    layers: tuple[int, ...] = (8, 8)


NOVEL_PRESETS = (
    Preset(name="paper", source="A 2020", config={"scale": 2.0}, combine={"mode": "two_critics", "intrinsic_weight": 0.3}),
    Preset(name="code", source="B 2021", config={"memory": 7, "layers": [4]}, combine={"mode": "sum"}),
)

DESCRIPTIONS = (
    EnvironmentFamily(name="maze", make="toy_plugin:make", config="toy_plugin:MazeConfig", summary="Corridors."),
    EnvironmentFamily(name="bandit", make="toy_plugin:make", config="toy_plugin:BanditConfig"),
    EnvironmentFamily(name="clock", make="toy_plugin:make", config="toy_plugin:ClockConfig"),
    EnvironmentFamily(name="gone", make="toy_plugin:make", config="toy_plugin:GoneConfig"),
    Algorithm(
        name="climb",
        learner="toy_plugin:learn",
        config="toy_plugin:ClimbConfig",
        presets=(Preset(name="steep", source="C 2019", config={"rate": 0.5, "n_steps": 8}),),
    ),
    Algorithm(name="duo", learner="toy_plugin:learn", config="toy_plugin:DuoConfig"),
    AlgorithmPreset(algorithm="duo", preset=Preset(name="wide", source="D 2022", config={"n_envs": 16})),
    AlgorithmPreset(algorithm="duo", preset=Preset(name="deep", source="E 2023", config={"n_steps": 32, "rate": 0.01})),
    Network(name="flat", build="toy_plugin:Flat", summary="One layer."),
    Method(
        name="novel",
        reward="toy_plugin:Novel",
        config="toy_plugin:NovelConfig",
        summary="Rewards what is new.",
        works_with={"on_policy"},
        presets=NOVEL_PRESETS,
    ),
    Method(name="bare", reward="toy_plugin:Bare", config="toy_plugin:NovelConfig", works_with={"on_policy", "sequences"}),
)


def toy_registry() -> Registry:
    """A registry of this plugin alone."""
    return Registry([Plugin(PluginInfo("toy", "toy-plugin", "1.0", "toy_plugin"), DESCRIPTIONS)])
