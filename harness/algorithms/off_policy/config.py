"""What configurations of off-policy algorithms share. Imported for validation: no torch here."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.config import AlgorithmConfig, Search

_PROBE_UPDATES = 50
"""Gradient steps that are timed: they are most of what a step takes."""


class OffPolicyConfig(AlgorithmConfig):
    """An algorithm that learns from a replay buffer.

    A bonus is added to the reward of each sampled batch (``combine: sum``), computed at that moment: the replay buffer holds
    the environments' own rewards.
    """

    kind: ClassVar[Literal["on_policy", "off_policy"]] = "off_policy"
    resettable_parts: ClassVar[frozenset[str]] = frozenset({"actor", "critics", "optimizers", "replay"})
    architecture_fields: ClassVar[frozenset[str] | None] = frozenset({"net_arch"})
    precisions: ClassVar[frozenset[str]] = frozenset({"float32", "bf16"})

    buffer_size: int = Field(default=1_000_000, gt=0)
    """Transitions that the replay buffer holds, over all environments."""

    learning_starts: int = Field(default=100, ge=0)
    """Steps of uniformly random actions before the first gradient step; after a phase has emptied the replay, steps before the
    next one, taken by the actor."""

    batch_size: Annotated[int, Search(choices=(128, 256, 512, 1024))] = Field(default=256, gt=1)
    """Transitions per gradient step."""

    train_freq: int = Field(default=1, gt=0)
    """Steps of every environment between two calls of training."""

    gradient_steps: int = Field(default=1, gt=0)
    """Gradient steps in each of them. Stable-Baselines3's -1 is n_envs x train_freq here."""

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=3e-4, gt=0)
    """Adam's step size."""

    gamma: Annotated[float, Search(choices=(0.98, 0.99, 0.995, 0.998))] = Field(default=0.99, ge=0, le=1)
    """Discount of the return; both rewards are in it."""

    tau: Annotated[float, Search(low=1e-3, high=0.05, log=True)] = Field(default=0.005, gt=0, le=1)
    """Share of the trained networks that their targets take over in each update."""

    net_arch: list[int] | None = None
    """Hidden units on top of the features; null for Stable-Baselines3's own."""

    log_every: int = Field(default=1000, gt=0)
    """Steps per row of progress.csv, rounded up to whole calls of training; evaluations and checkpoints lie between rows."""

    @property
    def cycles_per_iteration(self) -> int:
        """Calls of training in each row of the log."""
        return ceil(self.log_every / (self.n_envs * self.train_freq))

    @property
    def steps_per_iteration(self) -> int:
        """Steps between two rows of the log, over all environments."""
        return self.cycles_per_iteration * self.train_freq * self.n_envs

    @property
    def least_steps(self) -> Mapping[str, int]:
        """Steps to the first gradient step, and to the first row of the log."""
        return {"learning_starts": self.learning_starts + 1, "log_every": self.steps_per_iteration}

    @property
    def stored_transitions(self) -> int:
        """Transitions in memory at most."""
        return self.buffer_size

    @property
    def transitions_per_update(self) -> int:
        """Transitions in each gradient step."""
        return self.batch_size

    def probe_settings(self, n_envs: int, n_steps: int) -> dict[str, Any]:
        """Settings of the same run at a small scale, to be timed for ``n_steps`` steps at most: it learns from the start."""
        n_envs = min(self.n_envs, n_envs)
        rows = max(self.batch_size, n_steps, n_envs)
        log_every = min(n_steps, max(1, _PROBE_UPDATES // self.gradient_steps) * n_envs * self.train_freq)
        return {"n_envs": n_envs, "buffer_size": min(self.buffer_size, rows), "learning_starts": 0, "log_every": log_every}

    @model_validator(mode="after")
    def _check_buffer_size(self) -> Self:
        if self.buffer_size < self.batch_size:
            raise ValueError(f"buffer_size {self.buffer_size} is smaller than a batch of {self.batch_size}")
        if self.buffer_size < self.n_envs:
            raise ValueError(f"buffer_size {self.buffer_size} holds not even one step of {self.n_envs} environments")
        return self


class EpsilonGreedyConfig(OffPolicyConfig):
    """An algorithm that takes the action of highest value, or, with a probability that falls in the course of a run, any."""

    actions: ClassVar[frozenset[str]] = frozenset({"discrete"})
    resettable_parts: ClassVar[frozenset[str]] = frozenset({"critics", "optimizers", "replay"})

    batch_size: Annotated[int, Search(choices=(32, 64, 128, 256))] = Field(default=32, gt=1)
    """Transitions per gradient step."""

    train_freq: int = Field(default=4, gt=0)
    """Steps of every environment between two calls of training."""

    tau: float = Field(default=1.0, gt=0, le=1)
    """Share of the network that its target takes over in each update; 1 copies it."""

    target_update_interval: int = Field(default=10_000, gt=0)
    """Steps between two updates of the target, over all environments, counted over the whole run."""

    exploration_fraction: Annotated[float, Search(low=0.005, high=0.5, log=True)] = Field(default=0.1, gt=0, le=1)
    """Share of the run in which the probability of a random action falls, linearly."""

    exploration_initial_eps: float = Field(default=1.0, ge=0, le=1)
    """Probability of a random action at the beginning."""

    exploration_final_eps: Annotated[float, Search(low=0.01, high=0.2, log=True)] = Field(default=0.05, ge=0, le=1)
    """Probability of a random action after that share of the run."""

    @model_validator(mode="after")
    def _check_target_update(self) -> Self:
        if self.target_update_interval < self.n_envs:
            raise ValueError(
                f"target_update_interval {self.target_update_interval} is less than a step of {self.n_envs} environments"
            )
        return self
