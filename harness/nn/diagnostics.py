"""Numbers that tell whether a representation is alive."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

DIAGNOSTIC_SAMPLES = 128
"""States on which a representation is looked at after each rollout."""


@torch.no_grad()
def effective_rank(features: Tensor) -> float:
    """How many directions the features spread over, between 1 and ``min(B, D)``.

    0 when they do not differ at all, NaN when they are not finite.

    The exponential of the entropy of the singular values, normalised to sum 1, of the centred features (Roy and Vetterli
    2007, definition 1).

    Args:
        features: A batch of features, ``(B, D)``.
    """
    if not features.isfinite().all():
        return float("nan")
    singular = cast(Tensor, torch.linalg.svdvals((features - features.mean(0)).to(torch.float32)))
    total = singular.sum()
    if total == 0:
        return 0.0
    share = singular / total
    entropies = cast(Tensor, torch.special.entr(share))
    return float(entropies.sum().exp())


def evenly_spaced_indices(n: int, device: torch.device | str = "cpu") -> Tensor:
    """Indices of at most `DIAGNOSTIC_SAMPLES` of ``n`` states in order of time, evenly spread, int64."""
    return torch.linspace(0, n - 1, min(DIAGNOSTIC_SAMPLES, n), device=device).long()


def target_diagnostics(features: Tensor) -> dict[str, float]:
    """What is logged of a target's features ``(B, D)``.

    Returns:
        ``target_std``, their deviation over states, averaged over features; ``target_rank``, their `effective_rank`.
    """
    return {"target_std": float(features.std(0, correction=0).mean()), "target_rank": effective_rank(features)}
