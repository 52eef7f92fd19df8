"""Pieces of episodes to learn from, and recurrent states that follow the episodes of a run."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from harness.nn.episodes import EpisodeState
from harness.rewards import Transitions


def segments(transitions: Transitions, length: int) -> tuple[Tensor, Tensor]:
    """A rollout as pieces of episodes: none crosses the end of an episode or mixes environments.

    Args:
        transitions: A rollout in order of time.
        length: Steps of a piece; the last one of an episode or rollout may have less.

    Returns:
        Rows of the rollout, int64 ``(S, length)``, and which of them belong to the piece, bool ``(S, length)``; the others are
        row 0.
    """
    order = transitions.env_index.argsort(stable=True)
    envs, done = transitions.env_index[order], transitions.done[order]
    positions = torch.arange(len(order), device=order.device)
    begins = torch.ones_like(done)
    begins[1:] = (envs[1:] != envs[:-1]) | done[:-1]
    first = positions[begins]
    offset = (positions - first[begins.cumsum(0) - 1]) % length
    piece = (offset == 0).cumsum(0) - 1
    rows = order.new_zeros((int(piece[-1]) + 1, length))
    inside = torch.zeros_like(rows, dtype=torch.bool)
    rows[piece, offset], inside[piece, offset] = order, True
    return rows, inside


def segment_batches(pieces: int, size: int, epochs: int, random: torch.Generator) -> Iterator[Tensor]:
    """Indices of the pieces in each minibatch, a permutation drawn anew for each pass.

    Args:
        pieces: Number of pieces, S.
        size: Pieces in a minibatch; the last of a pass may have less.
        epochs: Passes over all pieces.
        random: Draws the permutations, on the pieces' device.
    """
    for _ in range(epochs):
        yield from torch.randperm(pieces, generator=random, device=random.device).split(size)


class RecurrentState(EpisodeState):
    """Output and cell of an LSTM for the present episode of each environment.

    Args:
        n_envs: N, the number of environments.
        units: Units of the LSTM.
    """

    output: Tensor
    cell: Tensor
    fresh: Tensor
    """Which environments begin an episode with their next transition, bool ``(N,)``."""

    def __init__(self, n_envs: int, units: int) -> None:
        super().__init__()
        self.register_buffer("output", torch.zeros((n_envs, units)))
        self.register_buffer("cell", torch.zeros((n_envs, units)))
        self.register_buffer("fresh", torch.ones(n_envs, dtype=torch.bool))

    def read(self, envs: Tensor) -> tuple[Tensor, Tensor]:
        """Output and cell for the environment of each of B transitions, ``(B, units)`` both."""
        return self.output[envs], self.cell[envs]

    @torch.no_grad()
    def write(self, envs: Tensor, state: tuple[Tensor, Tensor], done: Tensor) -> None:
        """Take over states after a step, and clear them where an episode ended.

        Args:
            envs: The environment of each state, int64 ``(B,)``; none twice.
            state: Output and cell, ``(B, units)`` both.
            done: Where the episode ended, bool ``(B,)``.
        """
        self.output[envs], self.cell[envs] = state
        self.fresh[envs] = False
        self.clear(envs[done])

    @torch.no_grad()
    def clear(self, envs: Tensor) -> None:
        """Forget the episodes of these environments, int64 ``(K,)``."""
        super().clear(envs)
        self.output[envs] = 0
        self.cell[envs] = 0
        self.fresh[envs] = True


def lstm_step(lstm: torch.nn.LSTM, inputs: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """One step of an LSTM of one layer: output and cell after inputs ``(B, features)``."""
    _, (output, cell) = lstm(inputs.unsqueeze(0), (state[0].unsqueeze(0), state[1].unsqueeze(0)))
    return output.squeeze(0), cell.squeeze(0)
