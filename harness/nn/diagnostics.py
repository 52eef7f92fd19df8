"""Numbers that tell whether a representation is alive."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def effective_rank(features: Tensor) -> float:
    """How many directions the features spread over, between 1 and ``min(B, D)``; 0 when they do not differ at all.

    The exponential of the entropy of the singular values, normalised to sum 1, of the centred features (Roy and Vetterli
    2007, definition 1).

    Args:
        features: ``(B, D)``.
    """
    singular = torch.linalg.svdvals((features - features.mean(0)).to(torch.float32))
    total = singular.sum()
    if total == 0:
        return 0.0
    share = singular / total
    return float(torch.special.entr(share).sum().exp())
