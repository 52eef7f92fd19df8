"""Configuration of soft actor-critic. Imported for validation: no torch here."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from harness.algorithms.off_policy.config import OffPolicyConfig
from harness.config import Search

_AUTO = re.compile(r"auto(_(?P<initial>[0-9.e+-]+))?")


class SACConfig(OffPolicyConfig):
    """Soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905) as Stable-Baselines3 implements it.

    Defaults are those of Stable-Baselines3 unless a field says otherwise. A bonus is added to the reward of each sampled batch
    (``combine: sum``), computed at that moment: the replay buffer holds the environments' own rewards.
    """

    actions: ClassVar[frozenset[str]] = frozenset({"continuous"})
    architecture_fields: ClassVar[frozenset[str] | None] = frozenset({"net_arch", "trunk_dim"})

    learning_rate: Annotated[float, Search(low=1e-5, high=1e-2, log=True)] = Field(default=3e-4, gt=0)
    """Adam's step size for actor, critics and entropy coefficient."""

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

    @property
    def initial_ent_coef(self) -> float:
        """Where the entropy coefficient begins, learned or not."""
        if not isinstance(self.ent_coef, str):
            return self.ent_coef
        match = _AUTO.fullmatch(self.ent_coef)
        return float(match["initial"] or 1) if match else 1.0

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
