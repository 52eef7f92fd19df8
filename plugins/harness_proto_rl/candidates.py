"""Which states of a batch the prototypes pick as candidates."""

from __future__ import annotations

import torch
from torch import Tensor


def candidate_probabilities(projections: Tensor, prototypes: Tensor) -> Tensor:
    """For each prototype a distribution over the batch: ``softmax_b(c_k . z_b)``, without temperature.

    Args:
        projections: z, normalised, ``(B, D)``.
        prototypes: c, normalised, ``(K, D)``.

    Returns:
        ``(K, B)``; rows sum to 1.
    """
    return (prototypes @ projections.T).softmax(1)


def sample_indices(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """One index for each row's distribution, by inverting its cumulative sum; int64 ``(K,)``.

    Args:
        probabilities: Probabilities of each row's entries, ``(K, B)``.
        uniforms: Random numbers in [0, 1), ``(K,)``.
    """
    cumulative = probabilities.cumsum(1)
    thresholds = uniforms.to(cumulative.dtype)[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, thresholds, right=True)[:, 0].clamp(max=probabilities.shape[1] - 1)
