"""What a method keeps of the present episode of each environment: rings of fixed size, and the order in which they are used.

Everything here is in the method's state, so that a run which is resumed in mid-episode goes on as if it had not been
interrupted. A novelty that compares a state with its own episode is easily wrong in four ways, which `EpisodeMemory` rules
out: the state is compared with itself, the first state of an episode is forgotten, the memory outlives its episode, or it is
shared between environments.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from harness.nn.memo import Memo


class Step(Protocol):
    """What is looked at of `harness.rewards.Transitions`, every environment at most once."""

    @property
    def obs(self) -> Tensor: ...
    @property
    def env_index(self) -> Tensor: ...
    @property
    def done(self) -> Tensor: ...
    def states(self, end: Literal["obs", "next_obs"]) -> Tensor: ...


class EpisodeState(nn.Module):
    """Whatever is kept of the present episode of each environment.

    `harness.rewards.IntrinsicReward.begin_episodes` clears every such submodule of a method; within an episode, who holds it
    clears it.
    """

    @torch.no_grad()
    def clear(self, envs: Tensor) -> None:
        """Forget the episodes of these environments, int64 ``(K,)``, here and in every part that is an `EpisodeState`."""
        for part in self.children():
            if isinstance(part, EpisodeState):
                part.clear(envs)


class EpisodeRings(EpisodeState):
    """The newest rows of each environment's present episode, first in, first out.

    Args:
        n_envs: N, the number of environments.
        capacity: Rows that are kept of each episode at most.
        shape: Shape of one row.
        dtype: Type of the rows' numbers.
    """

    rows: Tensor
    counts: Tensor

    def __init__(self, n_envs: int, capacity: int, shape: Sequence[int] = (), dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros((n_envs, capacity, *shape), dtype=dtype))
        self.register_buffer("counts", torch.zeros(n_envs, dtype=torch.int64))

    @property
    def capacity(self) -> int:
        """Rows that are kept of each episode at most."""
        return self.rows.shape[1]

    @property
    def lengths(self) -> Tensor:
        """Rows that are kept of each environment's episode, int64 ``(N,)``."""
        return self.counts.clamp(max=self.capacity)

    @torch.no_grad()
    def push(self, rows: Tensor, envs: Tensor) -> None:
        """Add one row for each of these environments, over the oldest where a ring is full.

        Args:
            rows: What is added, ``(B, *shape)``.
            envs: The environment of each row, int64 ``(B,)``; none twice.
        """
        self.rows[envs, self.counts[envs] % self.capacity] = rows.to(self.rows.dtype)
        self.counts[envs] += 1

    def read(self, envs: Tensor) -> tuple[Tensor, Tensor]:
        """What is kept for the environment of each of B states; nothing here may be written to.

        Args:
            envs: The environment of each state, int64 ``(B,)``; repetitions are allowed.

        Returns:
            Rows ``(B, L, *shape)``, L being the length of the longest ring, and which of them are filled, bool ``(B, L)``.
        """
        longest = int(self.lengths.max())
        present, lengths = self.rows[:, :longest], self.lengths
        filled = torch.arange(longest, device=lengths.device) < lengths.unsqueeze(1)
        if len(envs) == len(lengths) and bool((envs == torch.arange(len(lengths), device=envs.device)).all()):
            return present, filled  # every environment in its order, as at each step of a run: no copy
        return present[envs], filled[envs]

    @torch.no_grad()
    def clear(self, envs: Tensor) -> None:
        """Forget the episodes of these environments, int64 ``(K,)``."""
        super().clear(envs)
        self.counts[envs] = 0


class EpisodeMemory(EpisodeState):
    """A memory of each environment's episode, with which states are compared before they are added.

    A subclass says what a state is compared to and how it is added; `advance` holds the order. The method calls it from
    `harness.rewards.IntrinsicReward.track`, and `answer` from its ``bonus``.

    Args:
        n_envs: N, the number of environments.
    """

    fresh: Tensor
    """Which environments begin an episode with their next transition, bool ``(N,)``."""

    def __init__(self, n_envs: int) -> None:
        super().__init__()
        self.register_buffer("fresh", torch.ones(n_envs, dtype=torch.bool))
        self._memo: Memo | None = None

    @abstractmethod
    def compare(self, states: Tensor, envs: Tensor) -> Tensor:
        """What the memory as it is says of states, ``(B, ...)``; nothing changes.

        Args:
            states: Embedded states, ``(B, *shape)``.
            envs: The environment of each state, int64 ``(B,)``; repetitions are allowed.
        """

    @abstractmethod
    def insert(self, states: Tensor, envs: Tensor) -> None:
        """Add a state to the episode of each of these environments, none twice; arguments are those of `compare`."""

    @torch.no_grad()
    def advance(
        self, transitions: Step, embed: Callable[[Tensor], Tensor], end: Literal["obs", "next_obs"] = "next_obs"
    ) -> Tensor:
        """Take one step: compare the states at one end of the transitions with their episodes, then add them.

        The first state of an episode, to which no transition leads, is added before anything is compared. Where an episode
        ends, its memory is cleared afterwards.

        Args:
            transitions: Those of one step, every environment at most once.
            embed: Maps observations ``(B, *view)`` to what is kept of them, ``(B, *shape)``.
            end: The end of each transition that is compared. Where it is ``obs``, last states of episodes never are.

        Returns:
            What `compare` says, ``(B, ...)``; kept for `answer`.
        """
        envs, states = transitions.env_index, transitions.states(end)
        begins = self.fresh[envs]
        if end == "next_obs" and bool(begins.any()):
            self.insert(embed(transitions.obs[begins]), envs[begins])
        embedded = embed(states)
        compared = self.compare(embedded, envs)
        self.insert(embedded, envs)
        self.fresh[envs] = False
        if bool(transitions.done.any()):
            self.clear(envs[transitions.done])
        self._memo = Memo.of(compared, states)
        return compared

    @torch.no_grad()
    def answer(
        self, transitions: Step, embed: Callable[[Tensor], Tensor], end: Literal["obs", "next_obs"] = "next_obs"
    ) -> Tensor:
        """What was said of these very transitions when they were taken, or what is to be said of others now.

        Arguments are those of `advance`.
        """
        states = transitions.states(end)
        if self._memo is not None and self._memo.is_valid_for(states):
            return self._memo.output
        return self.compare(embed(states), transitions.env_index)

    @torch.no_grad()
    def clear(self, envs: Tensor) -> None:
        """Forget the episodes of these environments, int64 ``(K,)``: their next transitions begin new ones."""
        super().clear(envs)
        self.fresh[envs] = True


def episode_capacity(wanted: int | None, episode_limit: int | None, otherwise: int) -> int:
    """Rows of an `EpisodeRings`.

    Args:
        wanted: What the method's configuration says; ``None`` for a whole episode.
        episode_limit: Most steps of an episode, as `harness.rewards.Spaces` has it; ``None`` where nothing bounds it.
        otherwise: Rows where nothing bounds an episode.
    """
    if wanted is not None:
        return wanted
    return otherwise if episode_limit is None else episode_limit + 1  # its first state comes before its first step
