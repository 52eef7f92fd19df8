"""Bounding a bonus, and telling how much of it that costs."""

from __future__ import annotations

import torch
from torch import Tensor


class BonusClipper:
    """``min(max(bonus, 0), bound)``, with an account of what was cut off.

    The account is for the log alone: it is no part of a method's state, and neither a bonus nor an update depends on it.

    Args:
        bound: Largest bonus; ``None`` for no bound.
        device: Where bonuses live.
    """

    def __init__(self, bound: float | None, device: torch.device) -> None:
        self.bound = bound
        self._offered, self._lost = torch.zeros(2, dtype=torch.float64, device=device)

    def __call__(self, bonus: Tensor) -> Tensor:
        """Bonuses ``(B,)`` within the bound, float32."""
        clipped = bonus.clamp(0, self.bound)
        self._offered += bonus.sum()
        self._lost += (bonus - clipped).sum()
        return clipped.to(torch.float32)

    def pop_share(self) -> float:
        """The share of all bonuses since the last call that was cut off, in [0, 1]; 0 when there were none."""
        share = float(self._lost / self._offered) if self._offered else 0.0
        self._offered.zero_()
        self._lost.zero_()
        return share
