"""Particle entropy: how far a state is from its nearest neighbours, which RE3 and APT make a bonus of in several ways."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from harness.nn.moments import RunningMoments
from harness.nn.neighbours import VectorQueue, k_distances


@torch.no_grad()
def particle_bonus(
    distances: Tensor,
    scale: Tensor | float = 1.0,
    *,
    clip: float | None = None,
    average: Literal["kth", "mean", "mean_of_logs"] = "kth",
    log: bool = False,
) -> Tensor:
    """The bonus of states with these distances to their neighbours, ``(B,)``.

    Args:
        distances: Distances to the k nearest, ascending, ``(B, k)``.
        scale: The number by which distances are divided.
        clip: Subtracted from each scaled distance, what is below 0 being 0; ``None`` for nothing.
        average: The largest distance, the mean of all, or the mean of their log(1 + d).
        log: Whether the bonus is log(1 + x) instead of x; no effect on ``mean_of_logs``.
    """
    x = distances / scale
    if clip is not None:
        x = (x - clip).clamp(min=0)
    if average == "mean_of_logs":
        return x.log1p().mean(1)
    x = x[:, -1] if average == "kth" else x.mean(1)
    return x.log1p() if log else x


class DistanceScale(nn.Module):
    """What distances are divided by: the running deviation or mean of all that were looked at.

    Args:
        kind: The moment that is meant; ``none`` for 1.
    """

    def __init__(self, kind: Literal["none", "std", "mean"]) -> None:
        super().__init__()
        self.kind = kind
        self.moments = RunningMoments()

    @torch.no_grad()
    def see(self, distances: Tensor) -> None:
        """Take in distances of any shape."""
        if self.kind != "none":
            self.moments.update(distances.flatten())

    @property
    def value(self) -> Tensor | float:
        """The present scale; 1 while it is 0, before any distance was."""
        if self.kind == "none":
            return 1.0
        moment = self.moments.std if self.kind == "std" else self.moments.mean
        return torch.where(moment > 0, moment, torch.ones_like(moment))


class Bank(VectorQueue):
    """The newest embedded states, and how far others are from them.

    Args:
        size: States that are kept.
        dim: Numbers of an embedded state.
    """

    filled: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__(size, dim)
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def push(self, vectors: Tensor) -> None:
        """Write vectors ``(N, dim)`` over the oldest."""
        super().push(vectors.to(self.rows.dtype))
        self.filled.add_(len(vectors)).clamp_(max=len(self))

    def forget(self) -> None:
        """Keep nothing."""
        self.rows.zero_()
        self.pointer.zero_()
        self.filled.zero_()

    def distances(self, states: Tensor, k: int) -> Tensor:
        """Distances to the k nearest, ascending, ``(B, k)``; to fewer while fewer are kept, ``(B, 0)`` to none."""
        kept = self.rows[: int(self.filled)]
        return batch_distances(states.to(self.rows.dtype), kept, k)


def batch_distances(states: Tensor, bank: Tensor, k: int) -> Tensor:
    """Distances of states ``(B, D)`` to the k nearest rows of a bank ``(Q, D)``, or to all where there are fewer."""
    k = min(k, len(bank))
    return k_distances(states, bank, k) if k else states.new_zeros(len(states), 0)
