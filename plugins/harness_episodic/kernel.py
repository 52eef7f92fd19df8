"""Pseudo-counts of an episode: how many of its states are near one, by a kernel over the k nearest (Badia et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from harness.nn.episodes import EpisodeMemory, EpisodeRings
from harness.nn.moments import RunningMoments

_TINY = 1e-8
"""Added to the usual distance, so that it can be divided by; as in both public codes."""


@dataclass(frozen=True)
class Kernel:
    """The kernel, and what a count of it is worth.

    Attributes:
        epsilon: Relative squared distance at which half of the kernel is left.
        cluster_distance: Relative squared distance up to which states are one.
        count_constant: Added to the root of the count.
        max_similarity: What is more familiar earns nothing.
    """

    epsilon: float = 1e-4
    cluster_distance: float = 0.008
    count_constant: float = 1e-3
    max_similarity: float = 8.0

    @torch.no_grad()
    def bonus(self, squared_distances: Tensor, usual: Tensor) -> Tensor:
        """``1 / (sqrt(sum_i K_i) + c)`` of each state, ``(B,)``; 0 where it is too familiar or has no neighbour.

        Args:
            squared_distances: Squared distances to the nearest states, ``(B, k)``; infinite where there are fewer.
            usual: The squared distance that counts as 1, a scalar.
        """
        relative = squared_distances / (usual.to(squared_distances.dtype) + _TINY)
        kernel = self.epsilon / ((relative - self.cluster_distance).clamp(min=0) + self.epsilon)
        similarity = kernel.sum(1).sqrt() + self.count_constant
        worthless = (similarity > self.max_similarity) | squared_distances.isinf().all(1)
        return torch.where(worthless, torch.zeros_like(similarity), 1 / similarity)


@torch.no_grad()
def nearest_squared_distances(states: Tensor, rows: Tensor, filled: Tensor, k: int) -> Tensor:
    """Squared distances of each state to the k nearest of its own rows, ascending, ``(B, k)``; infinite where there are fewer.

    Args:
        states: Embedded states, ``(B, D)``.
        rows: The rows that each is compared with, ``(B, L, D)``.
        filled: Whether each of the rows is there, bool ``(B, L)``.
        k: Number of neighbours, at least 1.
    """
    distances = states.new_full((len(states), max(k, rows.shape[1])), torch.inf)
    if rows.shape[1]:
        # differences, not a matrix product: equal states are at distance 0 exactly, which is what the kernel tells apart
        found = torch.cdist(states[:, None], rows, compute_mode="donot_use_mm_for_euclid_dist")[:, 0]
        distances[:, : rows.shape[1]] = found.square().masked_fill(~filled, torch.inf)
    return distances.topk(k, largest=False).values


class UsualDistance(nn.Module):
    """The running mean of squared distances to neighbours.

    Args:
        of: ``every_query``: the distance to the k-th neighbour, at every query that has k; `see` counts at once.
            ``rollouts``: the distances to all neighbours that there are, which count when `end_rollout` says so.
    """

    pending_sum: Tensor
    pending_count: Tensor

    def __init__(self, of: Literal["every_query", "rollouts"]) -> None:
        super().__init__()
        self.of = of
        # a mean of the paper's starts from nothing, that of RLLTE from a prior that weighs 1e-4
        self.moments = RunningMoments(epsilon=0.0 if of == "every_query" else 1e-4)
        self.register_buffer("pending_sum", torch.zeros((), dtype=torch.float64))
        self.register_buffer("pending_count", torch.zeros((), dtype=torch.float64))

    @property
    def mean(self) -> Tensor:
        """The usual squared distance, a float64 scalar; 0 before there was any."""
        return self.moments.mean

    @torch.no_grad()
    def see(self, squared_distances: Tensor) -> None:
        """Take in the squared distances of one step's queries, ``(N, k)``, ascending; infinite where there are fewer."""
        found = squared_distances[:, -1] if self.of == "every_query" else squared_distances
        found = found[found.isfinite()].double()
        if not len(found):
            return
        if self.of == "every_query":
            self.moments.merge(found.mean(), torch.zeros_like(self.moments.var), len(found))
        else:
            self.pending_sum.add_(found.sum())
            self.pending_count.add_(len(found))

    @torch.no_grad()
    def end_rollout(self) -> None:
        """Let what was seen since the last call count."""
        if self.pending_count:
            mean = self.pending_sum / self.pending_count
            self.moments.merge(mean, torch.zeros_like(self.moments.var), float(self.pending_count))
            self.pending_sum.zero_()
            self.pending_count.zero_()


class NeighbourMemory(EpisodeMemory):
    """The embedded states of each environment's episode, and how near the nearest are.

    Args:
        n_envs: N, the number of environments.
        capacity: States that are kept of each episode.
        dim: Numbers of an embedded state.
        neighbours: Number of neighbours, k.
        least: States that must be there for any distance to be given.
    """

    def __init__(self, n_envs: int, capacity: int, dim: int, neighbours: int, least: int) -> None:
        super().__init__(n_envs)
        self.rings = EpisodeRings(n_envs, capacity, (dim,))
        self.neighbours, self.least = neighbours, least

    def compare(self, states: Tensor, envs: Tensor) -> Tensor:
        """Squared distances to the k nearest, ascending, ``(B, k)``; infinite where there are fewer or not ``least``."""
        rows, filled = self.rings.read(envs)
        distances = nearest_squared_distances(states.to(rows.dtype), rows, filled, self.neighbours)
        return distances.masked_fill((self.rings.lengths[envs] < self.least)[:, None], torch.inf)

    def insert(self, states: Tensor, envs: Tensor) -> None:
        """Remember the states."""
        self.rings.push(states, envs)
