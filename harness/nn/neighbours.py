"""Distances to nearest neighbours, and a memory of vectors to look for them in."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

_SPARE = 4
"""Candidates beyond the k-th, so that rounding rarely decides which rows are looked at."""

_ROUNDING = 8
"""Errors of a squared distance from a matrix product, at most, in units of the last place of the squares."""

_DECISIVE = 1e-5
"""Relative error of a squared distance from which on rounding is looked into."""


def kth_distance(points: Tensor, bank: Tensor, k: int) -> Tensor:
    """Euclidean distance of each point to its k-th nearest row of a bank, ``(N,)``; see `k_distances`."""
    return k_distances(points, bank, k)[:, -1]


@torch.no_grad()
def k_distances(points: Tensor, bank: Tensor, k: int) -> Tensor:
    """Euclidean distances of each point to its k nearest rows of a bank, ascending, ``(N, k)``; equal rows count one by one.

    Candidates are found by squared distances expanded into a matrix product, which is an order of magnitude faster than
    differences but useless where distances are small; the distances themselves are norms of differences. A row that equals
    the point is at distance 0 exactly. Points for which rounding might have hidden a nearer row are compared with all rows.

    Args:
        points: Vectors whose neighbours are sought, ``(N, D)``.
        bank: ``(Q, D)``, of the same dtype.
        k: Number of neighbours, from 1 to Q.
    """
    centre = bank.mean(0)  # the nearer the origin, the less is lost in the expansion
    x, y = points - centre, bank - centre
    x_square, y_square = x.square().sum(1), y.square().sum(1)
    ranking = torch.addmm(y_square, x, y.T, alpha=-2)  # squared distances less x_square
    candidates = ranking.topk(min(k + _SPARE, len(bank)), largest=False)
    distances = cast(Tensor, (points[:, None] - bank[candidates.indices]).norm(dim=2))
    nearest = distances.topk(k, largest=False).values
    if candidates.indices.shape[1] == len(bank):
        return nearest
    rounding = _ROUNDING * torch.finfo(points.dtype).eps * (x_square + y_square.max())
    found = nearest[:, -1].square()
    hidden = x_square + candidates.values[:, -1] - rounding < found  # maybe
    unsure = (hidden & (_DECISIVE * found < rounding) & (found > 0)).nonzero()[:, 0]
    if len(unsure):
        nearest[unsure] = _exact_k_distances(points[unsure], bank, k)
    return nearest


class VectorQueue(nn.Module):
    """The newest Q of all vectors ever pushed, first in, first out; part of the state of the module that holds it.

    Rows that were never written are zero vectors, and are looked at like any other.

    Args:
        size: Capacity of the queue, Q vectors.
        dim: The number of components of each vector.
    """

    rows: Tensor
    pointer: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(size, dim))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.int64))

    def __len__(self) -> int:
        return len(self.rows)

    @torch.no_grad()
    def push(self, vectors: Tensor) -> None:
        """Write vectors ``(N, dim)`` over the oldest rows, in order; of more than Q, the last Q are kept."""
        kept = vectors[-len(self) :]
        first = self.pointer + len(vectors) - len(kept)
        self.rows[(first + torch.arange(len(kept), device=self.rows.device)) % len(self)] = kept
        self.pointer.add_(len(vectors)).remainder_(len(self))


def _exact_k_distances(points: Tensor, bank: Tensor, k: int) -> Tensor:
    distances = torch.cdist(points, bank, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.topk(k, largest=False).values
