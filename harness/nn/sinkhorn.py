"""Sinkhorn's balancing of soft assignments, safe for scores of any size."""

from __future__ import annotations

import torch
from torch import Tensor


def sinkhorn(scores: Tensor, temperature: float, iterations: int) -> Tensor:
    """Assign samples to prototypes such that all prototypes get about the same (Cuturi 2013; Caron et al. 2020, SwAV).

    Of the matrix ``exp(scores / temperature)``, columns and then rows are scaled to equal sums, ``iterations`` times. What
    the usual form also does changes nothing: to divide by the total, and to scale to 1 / K and 1 / B instead of 1.

    Only the first round is done with logarithms. After it every column sums to 1 / K or more, and every row to 1 / B or more
    once its columns are scaled again, so that no later round can divide by a sum that underflowed; that holds for samples and
    prototypes far away from all others too, whose entries the usual form loses. It costs no more than that form does.

    Infinite scores count as the largest finite ones; NaN stays NaN.

    Args:
        scores: ``(B, K)``, of B samples with K prototypes.
        temperature: What scores are divided by.
        iterations: Rounds, at least one.

    Returns:
        Assignments ``(B, K)``; rows sum to 1, columns to B / K up to what more iterations would correct.
    """
    bound = torch.finfo(scores.dtype).max / 4
    logits = (scores / temperature).clamp(-bound, bound)
    assignments = logits.log_softmax(0).softmax(1)
    for _ in range(iterations - 1):
        assignments = assignments / assignments.sum(0)
        assignments = assignments / assignments.sum(1, keepdim=True)
    return assignments
