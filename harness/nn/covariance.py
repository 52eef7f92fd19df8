"""How the features of a batch vary and vary together: what decorrelating objectives are made of."""

from __future__ import annotations

import torch
from torch import Tensor


def deviation(features: Tensor, epsilon: float = 0.0) -> Tensor:
    """Standard deviation of each feature over the batch, ``sqrt(unbiased variance + epsilon)``: ``(B, D)`` to ``(D,)``."""
    return (features.var(0) + epsilon).sqrt()


def covariance(features: Tensor) -> Tensor:
    """Unbiased covariance of the features over the batch: ``(B, D)`` to ``(D, D)``."""
    centred = features - features.mean(0)
    return centred.T @ centred / (len(features) - 1)


def off_diagonal(matrix: Tensor) -> Tensor:
    """The ``n (n - 1)`` entries of an n x n matrix that are not on its diagonal, row by row.

    Without its first entry, the flat matrix is ``n - 1`` rows of ``n + 1`` that all end in an entry of the diagonal.
    """
    n = len(matrix)
    return matrix.flatten()[1:].view(n - 1, n + 1)[:, :-1].flatten()


def standardise(features: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Features with mean 0 and population variance 1 over the batch, as batch normalisation gives them."""
    return (features - features.mean(0)) / torch.sqrt(features.var(0, correction=0) + epsilon)
