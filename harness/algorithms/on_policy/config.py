"""What configurations of on-policy algorithms share. Imported for validation: no torch here."""

from __future__ import annotations

from math import ceil
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.config import AlgorithmConfig

ENTROPY_COEFFICIENTS = (0.0, 1e-4, 3e-4, 5e-4, 1e-3, 3e-3, 5e-3, 0.01, 0.03, 0.1)
"""Weights of an entropy bonus that tuning tries: none, which no logarithmic range holds, and those that papers use."""


class OnPolicyConfig(AlgorithmConfig):
    """An algorithm that learns from rollouts of T steps in each of N environments, and forgets them."""

    kind: ClassVar[Literal["on_policy", "off_policy"]] = "on_policy"
    architecture_fields: ClassVar[frozenset[str] | None] = frozenset({"n_envs", "network", "net_arch"})
    precisions: ClassVar[frozenset[str]] = frozenset({"float32", "bf16"})
    family_defaults: ClassVar[frozenset[str]] = frozenset({"n_envs"})

    n_envs: int = Field(default=8, gt=0)
    """N, environments that step together; the family's own number if neither suite nor preset says."""

    n_steps: int = Field(default=128, gt=0)
    """T, steps per environment and rollout."""

    network: str = "sb3"
    """``sb3`` is Stable-Baselines3's own (NatureCNN for images, MLP otherwise); plugins provide others by name."""

    net_arch: list[int] | None = None
    """Hidden units of policy and value MLP on top of the features; null for Stable-Baselines3's default."""

    @property
    def network_name(self) -> str:
        """The network that it builds, by its registered name."""
        return self.network

    @property
    def steps_per_iteration(self) -> int:
        """One rollout, over all environments."""
        return self.n_envs * self.n_steps

    def probe_settings(self, n_envs: int, n_steps: int) -> dict[str, Any]:
        """Settings of the same run at a small scale, to be timed for about ``n_steps`` steps."""
        n_envs = min(self.n_envs, n_envs)
        return {"n_envs": n_envs, "n_steps": min(self.n_steps, ceil(n_steps / n_envs))}

    @model_validator(mode="after")
    def _check_layers(self) -> Self:
        if self.net_arch is not None and self.network != "sb3":
            raise ValueError(f"net_arch goes with network sb3; {self.network} has its own layers")
        return self
