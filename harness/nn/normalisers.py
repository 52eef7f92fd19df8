"""Every way to bring bonuses to a scale, by its name in configurations."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from harness.config import BonusNormalisation
from harness.nn.moments import BonusNormaliser, ReturnNormaliser, RunningMoments

_RAMP = 100
"""Sizes between nothing and a first bonus that its step counts as."""


class _MomentNormaliser(BonusNormaliser):
    """Divides bonuses by a running moment of all bonuses so far, which already includes those that are divided."""

    def __init__(self) -> None:
        super().__init__()
        self.moments = RunningMoments()

    @torch.no_grad()
    def normalise_rollout(self, bonuses: Tensor) -> Tensor:
        """Normalise the bonuses of a whole rollout, float32 ``(T, N)``, by a moment that already includes it."""
        self.moments.update(bonuses.flatten())
        return self.scale(bonuses)

    def normalise_step(self, bonus: Tensor, *, start: Literal["horizon", "prior"] = "prior") -> Tensor:
        """Normalise the bonuses of one step, float32 ``(N,)``, by the moment up to and including it."""
        return self.normalise_rollout(bonus)


class DeviationNormaliser(_MomentNormaliser):
    """Divides bonuses by the running standard deviation of all bonuses; their mean is not subtracted (E3B, RLLTE)."""

    @torch.no_grad()
    def normalise_step(self, bonus: Tensor, *, start: Literal["horizon", "prior"] = "prior") -> Tensor:
        """Normalise the bonuses of one step, float32 ``(N,)``; see `BonusNormaliser.normalise_step` for ``start``."""
        if start == "prior" or bool(self.moments.count >= 1):  # the prior weighs less than one bonus
            return self.normalise_rollout(bonus)
        if bonus.any():
            sizes = torch.linspace(0, 1, _RAMP, dtype=torch.float64, device=bonus.device).outer(bonus.double())
            self.moments.merge(sizes.mean(), sizes.var(correction=0), len(bonus))
        return self.scale(bonus)

    def scale(self, bonuses: Tensor) -> Tensor:
        """Divide by the present deviation without learning from ``bonuses``."""
        return (bonuses / self.moments.std).to(bonuses.dtype)

    def metrics(self) -> dict[str, float]:
        """``bonus_running_std``, the deviation."""
        return {"bonus_running_std": float(self.moments.std)}


class MeanNormaliser(_MomentNormaliser):
    """Divides bonuses by the running mean of all bonuses (APT); those before any that is not 0 stay as they are."""

    def scale(self, bonuses: Tensor) -> Tensor:
        """Divide by the present mean without learning from ``bonuses``."""
        mean = self.moments.mean
        return (bonuses / torch.where(mean == 0, torch.ones_like(mean), mean)).to(bonuses.dtype)

    def metrics(self) -> dict[str, float]:
        """``bonus_running_mean``, the mean."""
        return {"bonus_running_mean": float(self.moments.mean)}


def bonus_normaliser(kind: BonusNormalisation, n_envs: int, gamma: float) -> BonusNormaliser | None:
    """What a method puts into `harness.rewards.IntrinsicReward.normaliser`.

    Args:
        kind: Value of the configuration's field ``bonus_normalisation``.
        n_envs: N, the number of environments.
        gamma: Discount of the sums of ``return_std``, that of the intrinsic return; no effect otherwise.
    """
    if kind == "return_std":
        return ReturnNormaliser(n_envs, gamma)
    if kind == "none":
        return None
    return DeviationNormaliser() if kind == "bonus_std" else MeanNormaliser()
