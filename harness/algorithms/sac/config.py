"""Configuration of soft actor-critic. Imported for validation: no torch here."""

from __future__ import annotations

import re
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.config import Config, Search

_PROBE_UPDATES = 50
"""Gradient steps that are timed: they are most of what a step takes."""

_AUTO = re.compile(r"auto(_(?P<initial>[0-9.e+-]+))?")


class SACConfig(Config):
    """Soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905) as Stable-Baselines3 implements it.

    Defaults are those of Stable-Baselines3 unless a field says otherwise. A bonus is added to the reward of each sampled batch
    (``combine: sum``), computed at that moment: the replay buffer holds the environments' own rewards.
    """

    combine_modes: ClassVar[frozenset[str]] = frozenset({"sum"})
    """Ways to combine a bonus with the extrinsic reward."""

    actions: ClassVar[Literal["discrete", "continuous"]] = "continuous"
    """The only kind of actions that it learns."""

    resettable_parts: ClassVar[frozenset[str]] = frozenset({"actor", "critics", "optimizers", "replay"})
    """What a phase may reset."""

    architecture_fields: ClassVar[frozenset[str]] = frozenset({"net_arch", "trunk_dim"})
    """Settings that shape what a checkpoint holds: a run begins only from one that agrees in them."""

    n_envs: int = Field(default=1, gt=0)
    """N, environments that step together."""

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
    """Adam's step size for actor, critics and entropy coefficient."""

    gamma: Annotated[float, Search(choices=(0.98, 0.99, 0.995, 0.998))] = Field(default=0.99, ge=0, le=1)
    """Discount of the return; both rewards are in it."""

    tau: Annotated[float, Search(low=1e-3, high=0.05, log=True)] = Field(default=0.005, gt=0, le=1)
    """Share of the critics that their targets take over in each update."""

    target_update_interval: int = Field(default=1, gt=0)
    """Gradient steps between updates of the targets, counted over the whole run (Stable-Baselines3: within each call)."""

    ent_coef: float | str = "auto"
    """Entropy coefficient: a number, ``auto`` (learned, from 1) or ``auto_0.1`` (learned, from 0.1)."""

    target_entropy: float | Literal["auto"] = "auto"
    """Entropy that a learned coefficient aims at; ``auto`` is minus the number of action dimensions."""

    net_arch: list[int] | None = None
    """Hidden units of actor and critics on top of the features; null for Stable-Baselines3's [256, 256]."""

    trunk_dim: int | None = Field(default=None, gt=0)
    """Units of a linear layer with layer normalisation under each of actor, critics and targets, as in Proto-RL (50); null
    for none."""

    log_every: int = Field(default=1000, gt=0)
    """Steps per row of progress.csv, rounded up to whole calls of training; evaluations and checkpoints lie between rows."""

    threads: int = Field(default=1, gt=0)
    """CPU threads of torch and of the environments. Part of a run's identity, since sums depend on it."""

    @property
    def cycles_per_iteration(self) -> int:
        """Calls of training in each row of the log."""
        return ceil(self.log_every / (self.n_envs * self.train_freq))

    @property
    def initial_ent_coef(self) -> float:
        """Where the entropy coefficient begins, learned or not."""
        if not isinstance(self.ent_coef, str):
            return self.ent_coef
        match = _AUTO.fullmatch(self.ent_coef)
        return float(match["initial"] or 1) if match else 1.0

    @property
    def stored_transitions(self) -> int:
        """Transitions in memory at most."""
        return self.buffer_size

    @property
    def steps_per_iteration(self) -> int:
        """Steps between two rows of the log, over all environments."""
        return self.cycles_per_iteration * self.train_freq * self.n_envs

    def probe_settings(self, n_envs: int, n_steps: int) -> dict[str, Any]:
        """Settings of the same run at a small scale, to be timed for ``n_steps`` steps at most: it learns from the start."""
        n_envs = min(self.n_envs, n_envs)
        rows = max(self.batch_size, n_steps, n_envs)
        log_every = min(n_steps, max(1, _PROBE_UPDATES // self.gradient_steps) * n_envs * self.train_freq)
        return {"n_envs": n_envs, "buffer_size": min(self.buffer_size, rows), "learning_starts": 0, "log_every": log_every}

    @field_validator("ent_coef")
    @classmethod
    def _is_a_coefficient(cls, value: float | str) -> float | str:
        if isinstance(value, str):
            match = _AUTO.fullmatch(value)
            try:
                if match and (match["initial"] is None or float(match["initial"]) > 0):
                    return value
            except ValueError:
                pass
        elif value >= 0:
            return value
        raise ValueError(f"expected a number from 0, auto, or auto_ and a number above 0 such as auto_0.1, got {value!r}")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.buffer_size < self.batch_size:
            raise ValueError(f"buffer_size {self.buffer_size} is smaller than a batch of {self.batch_size}")
        if self.buffer_size < self.n_envs:
            raise ValueError(f"buffer_size {self.buffer_size} holds not even one step of {self.n_envs} environments")
        return self
