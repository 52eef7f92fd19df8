"""What all methods of this package do alike: look at states, remember episodes, cut rollouts, take the optimiser's steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from harness.nn.diagnostics import effective_rank, evenly_spaced_indices
from harness.nn.episodes import EpisodeRings, episode_capacity
from harness.nn.frames import FrameSelector
from harness.nn.minibatches import mean_losses, minibatches
from harness.nn.normalisers import bonus_normaliser
from harness.rewards import IntrinsicReward, Spaces, Transitions
from harness_episodic.configs.base import MEMORY_WITHOUT_LIMIT, EpisodicConfig, LearnedConfig

ConfigT = TypeVar("ConfigT", bound=EpisodicConfig)
LearnedT = TypeVar("LearnedT", bound=LearnedConfig)

_RMSPROP_DECAY = 0.99
"""Decay of the running squared gradient, as in IMPALA and the codes that were built on it."""


class EpisodicReward(IntrinsicReward[ConfigT]):
    """The base of this package's methods.

    Attributes:
        shape: Shape of what is seen of one state.
        images: Whether that is an image ``(C, H, W)``.

    Raises:
        UserError: When observations are not a box of numbers.
    """

    def __init__(self, config: ConfigT, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self._select_frames = FrameSelector(spaces.observation, spaces.frame_channels, config.frames)
        self.shape = tuple(self._select_frames.shape)
        self.images = spaces.frame_channels is not None
        self.normaliser = bonus_normaliser(config.bonus_normalisation, n_envs, config.bonus_gamma)

    def view(self, observations: np.ndarray) -> np.ndarray:
        """The newest frame ``(B, frame_channels, H, W)`` of stacked images, or everything."""
        return self._select_frames(observations)

    def network_input(self, states: Tensor) -> Tensor:
        """What networks see of states, in their own precision, of the same shape: bytes are scaled to [0, 1]."""
        dtype = next((p.dtype for p in self.parameters()), torch.float32)
        return states.to(dtype) / 255 if states.dtype == torch.uint8 else states.to(dtype)

    def memory_capacity(self, wanted: int | None) -> int:
        """States of an episode that are remembered: as the configuration says, and never more than an episode has."""
        whole = episode_capacity(None, self.spaces.episode_limit, MEMORY_WITHOUT_LIMIT if wanted is None else wanted)
        return whole if wanted is None else min(wanted, whole)

    def sample(self, states: Tensor) -> Tensor:
        """Some of a rollout's states, evenly spread over time, for diagnostics."""
        return states[evenly_spaced_indices(len(states), self.device)]


class LearnedReward(EpisodicReward[LearnedT]):
    """A method whose networks learn from each rollout; a subclass builds them, then calls `start_learning`."""

    def start_learning(self, parameters: Iterable[nn.Parameter]) -> None:
        """Move everything to the device and give the parameters an optimiser; the last thing a constructor does."""
        self.to(self.device)
        self._trained = list(parameters)
        self.optimizers["networks"] = self.build_optimizer(self._trained, self.config.learning_rate)

    def build_optimizer(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        """The optimiser that the configuration names, with a step size of its own."""
        if self.config.optimizer == "adam":
            return torch.optim.Adam(parameters, lr=learning_rate, eps=self.config.optimizer_epsilon)
        return torch.optim.RMSprop(parameters, lr=learning_rate, alpha=_RMSPROP_DECAY, eps=self.config.optimizer_epsilon)

    @abstractmethod
    def losses(self, batch: Transitions) -> dict[str, Tensor]:
        """The scalars of a minibatch that are logged; the first is minimised."""

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout: ``epochs`` passes over its minibatches.

        Returns:
            The means over minibatches of what `losses` returned.
        """
        parts = minibatches(
            transitions.env_index,
            self.config.minibatches,
            self.config.minibatch_order,
            epochs=self.config.epochs,
            random=self.generator,
        )
        return mean_losses([self._step(transitions[index]) for index in parts])

    def descend(self, loss: Tensor, parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer) -> None:
        """One step down a loss, the norm of its gradients bounded if the configuration bounds it."""
        optimizer.zero_grad()
        loss.backward()
        if self.config.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(parameters, self.config.max_grad_norm)
        optimizer.step()

    def _step(self, batch: Transitions) -> dict[str, Tensor]:
        losses = self.losses(batch)
        self.descend(next(iter(losses.values())), self._trained, self.optimizers["networks"])
        return {name: loss.detach() for name, loss in losses.items()}


def embedding_diagnostics(embedded: Tensor) -> dict[str, float]:
    """What is logged of embedded states ``(B, D)``.

    Returns:
        ``embedding_std``, their deviation over states, averaged over numbers; ``embedding_rank``, their `effective_rank`. Both
        fall to 0 where an embedding collapses.
    """
    return {"embedding_std": float(embedded.std(0, correction=0).mean()), "embedding_rank": effective_rank(embedded)}


def fill_of(rings: EpisodeRings) -> dict[str, float]:
    """What is logged of the memory of episodes.

    Returns:
        ``memory_fill``, the share of the rings' rows that is in use; ``memory_full``, the share of environments whose ring
        forgets the beginning of its episode.
    """
    lengths: Any = rings.lengths
    return {
        "memory_fill": float(lengths.double().mean() / rings.capacity),
        "memory_full": float((rings.counts > rings.capacity).double().mean()),
    }
