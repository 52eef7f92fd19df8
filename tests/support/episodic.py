"""A method that counts states within their episode, and small runs with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from harness import IntrinsicReward, IntrinsicRewardConfig, Method, Spaces, Transitions
from harness.nn.episodes import EpisodeMemory, EpisodeRings, episode_capacity
from harness.registry import Registry, installed
from harness.registry.builtin import harness_algorithms, harness_networks
from harness.registry.discovery import Plugin, PluginInfo
from harness.rewards import Guarantees
from harness.spec import Combination, RewardSpec, RunSpec


class EpisodeCountsConfig(IntrinsicRewardConfig):
    capacity: int | None = None
    """States that are remembered of an episode; null for all of them."""


class SeenStates(EpisodeMemory):
    """How often each state was in its episode."""

    def __init__(self, n_envs: int, capacity: int, size: int) -> None:
        super().__init__(n_envs)
        self.rings = EpisodeRings(n_envs, capacity, (size,))

    def compare(self, states: Tensor, envs: Tensor) -> Tensor:
        rows, filled = self.rings.read(envs)
        return ((rows == states.unsqueeze(1)).all(2) & filled).sum(1)

    def insert(self, states: Tensor, envs: Tensor) -> None:
        self.rings.push(states, envs)


class EpisodeCounts(IntrinsicReward[EpisodeCountsConfig]):
    """``1 / sqrt(n)``, n being how often the next state was in its episode, this time included."""

    def __init__(self, config: EpisodeCountsConfig, spaces: Spaces, n_envs: int, device: Any, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        shape = spaces.observation.shape
        assert shape is not None
        capacity = episode_capacity(config.capacity, spaces.episode_limit, 100)
        self.seen = SeenStates(n_envs, capacity, int(torch.Size(shape).numel()))
        self.to(device)

    def track(self, transitions: Transitions) -> None:
        self.seen.advance(transitions, self.embed)

    def bonus(self, transitions: Transitions) -> Tensor:
        return (self.seen.answer(transitions, self.embed) + 1.0).rsqrt()

    def update(self, transitions: Transitions) -> dict[str, float]:
        return {"remembered": float(self.seen.rings.lengths.sum())}

    def embed(self, states: Tensor) -> Tensor:
        return states.flatten(1).float()

    def guarantees(self) -> Guarantees:
        return Guarantees(depends_on="episode", any_order=True, deterministic=True)


@cache
def registry() -> Registry:
    """What is installed, as far as runs here need it, and the method."""
    method = Method(
        name="episode_counts", reward="support.episodic:EpisodeCounts", config="support.episodic:EpisodeCountsConfig"
    )
    algorithms, networks = tuple(harness_algorithms()), tuple(harness_networks())
    known = (installed().environment("deep_sea"), installed().method("rnd"))
    return Registry([Plugin(PluginInfo("episodic", "episodic", "1.0", "support"), (method, *known, *algorithms, *networks))])


def with_counts(spec: RunSpec, **combine: Any) -> RunSpec:
    """The same run with the method."""
    config = EpisodeCountsConfig().model_dump(mode="json")
    reward = RewardSpec(name="episode_counts", config=config, combine=Combination.model_validate({"mode": "sum"} | combine))
    return spec.model_copy(update={"method": "episode_counts", "reward": reward})


def train(spec: RunSpec, results: Path, **arguments: Any) -> None:
    """Train in this process, which may be a new one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.training.run.installed", registry)
        from harness.training.run import train as real

        real(spec, results, device="cpu", **arguments)
