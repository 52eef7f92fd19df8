"""The elliptical memory of E3B (Henaff et al. 2022): the inverse covariance of each environment's episode.

With C = lambda I + the sum of phi phi^T over the states of the episode, phi is worth b = phi^T C^-1 phi, and joining takes

    u = C^-1 phi,   C^-1 <- C^-1 - u u^T / (1 + b)

In exact arithmetic b >= lambda |u|^2, since no eigenvalue of C^-1 is above 1 / lambda. Where rounding says otherwise, as after
states many orders of magnitude apart, the latter takes the place of b, which keeps every number finite.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.nn.episodes import EpisodeMemory
from harness.nn.memo import Memo


class EllipticalMemory(EpisodeMemory):
    """Inverse covariances, updated for all environments at once.

    Args:
        n_envs: N, the number of environments.
        dim: Numbers of an embedded state.
        ridge: The covariance of an episode begins as this multiple of the identity.
        first_bonus: Whether a state whose episode is not remembered yet earns its bonus, |phi|^2 / ridge, or nothing.
    """

    inverse: Tensor
    counts: Tensor

    def __init__(self, n_envs: int, dim: int, ridge: float, *, first_bonus: bool) -> None:
        super().__init__(n_envs)
        self.ridge, self.first_bonus = ridge, first_bonus
        self.register_buffer("inverse", (torch.eye(dim) / ridge).repeat(n_envs, 1, 1))
        self.register_buffer("counts", torch.zeros(n_envs, dtype=torch.int64))
        self._solved: Memo | None = None

    def compare(self, states: Tensor, envs: Tensor) -> Tensor:
        """The bonus b of each state, ``(B,)``."""
        states = states.to(self.inverse.dtype)
        bonus = self._bonus(states, self._solve(states, envs))
        return bonus if self.first_bonus else bonus.masked_fill(self.counts[envs] == 0, 0)

    @torch.no_grad()
    def insert(self, states: Tensor, envs: Tensor) -> None:
        """Let the states join their episodes."""
        states = states.to(self.inverse.dtype)
        solved = self._solve(states, envs)
        step = (
            solved / (1 + self._bonus(states, solved)).sqrt()[:, None]
        )  # its products with itself are symmetric to the last digit
        if self._everyone(envs):
            self.inverse.baddbmm_(step[:, :, None], step[:, None], alpha=-1)
        else:
            self.inverse[envs] -= step[:, :, None] * step[:, None]
        self.counts[envs] += 1
        self._solved = None

    @torch.no_grad()
    def clear(self, envs: Tensor) -> None:
        """Forget the episodes of these environments, int64 ``(K,)``."""
        super().clear(envs)
        self.inverse[envs] = 0
        self.inverse.diagonal(dim1=1, dim2=2)[envs] = 1 / self.ridge
        self.counts[envs] = 0
        self._solved = None

    def _solve(self, states: Tensor, envs: Tensor) -> Tensor:
        """The product u of each state, ``(B, D)``; once for states that are compared and then join."""
        if self._solved is not None and self._solved.is_valid_for(states):
            return self._solved.output
        if self._everyone(envs):
            solved = torch.bmm(self.inverse, states[:, :, None])[:, :, 0]
        else:  # one product for each environment: its matrix is not copied for each of many states
            solved = torch.empty_like(states)
            for env in envs.unique().tolist():
                of_env = envs == env
                solved[of_env] = states[of_env] @ self.inverse[env]
        self._solved = Memo.of(solved, states) if self._everyone(envs) else None
        return solved

    def _bonus(self, states: Tensor, solved: Tensor) -> Tensor:
        return torch.maximum((states * solved).sum(1), self.ridge * solved.square().sum(1))

    def _everyone(self, envs: Tensor) -> bool:
        """Whether these are all environments in their order, as at each step of a run."""
        return len(envs) == len(self.counts) and bool((envs == torch.arange(len(envs), device=envs.device)).all())
