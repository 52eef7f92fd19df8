"""What all methods of this package do alike: look, keep statistics of observations, cut rollouts, take Adam's steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from harness.errors import UserError
from harness.nn.frames import FrameSelector
from harness.nn.minibatches import mean_losses, minibatches
from harness.nn.normalisers import bonus_normaliser
from harness.rewards import IntrinsicReward, Spaces, Transitions
from harness_curiosity.config import CuriosityConfig, MinibatchConfig
from harness_curiosity.observations import build_normaliser, in_unit_interval, resolve_mode

ConfigT = TypeVar("ConfigT", bound=CuriosityConfig)

_SMALLEST_IMAGE = 32
"""Sides from which on ``architecture: auto`` of generative models takes convolutions."""


class CuriosityReward(IntrinsicReward[ConfigT]):
    """The base of this package's methods; a subclass builds its networks, then calls `start_learning`.

    Attributes:
        shape: Shape of what is seen of one state.
        images: Whether that is an image ``(C, H, W)``.
        normalisation: What is done to observations: ``none``, ``random_play`` or ``standardise``.
        bounded: Whether what the networks see is in [0, 1].

    Raises:
        UserError: When observations are not a box of numbers.
    """

    def __init__(self, config: ConfigT, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self._select_frames = FrameSelector(spaces.observation, spaces.frame_channels, config.frames)
        self.shape = tuple(self._select_frames.shape)
        self.images = spaces.frame_channels is not None
        self.normalisation = resolve_mode(config, spaces.observation)
        self.bounded = self.normalisation == "none" and in_unit_interval(spaces.observation)
        self.observations = build_normaliser(self.normalisation, self.shape, config.observation_clip)
        if self.normalisation != "none":
            self.warm_up_steps = config.warm_up_steps
        self._warm_up_left = self.warm_up_steps
        self.normaliser = bonus_normaliser(config.bonus_normalisation, n_envs, config.bonus_gamma)

    def start_learning(self, parameters: Iterable[nn.Parameter]) -> None:
        """Move everything to the device and give the parameters that learn an Adam; the last thing a constructor does."""
        self.to(self.device)
        self._trained = list(parameters)
        self.optimizers["networks"] = torch.optim.Adam(
            self._trained, lr=self.config.learning_rate, betas=self.adam_betas, eps=self.config.adam_epsilon
        )

    @property
    def adam_betas(self) -> tuple[float, float]:
        """Decays of Adam's running moments."""
        return 0.9, 0.999

    @property
    def dtype(self) -> torch.dtype:
        """The networks' precision."""
        return next(self.parameters()).dtype

    def view(self, observations: np.ndarray) -> np.ndarray:
        """The newest frame ``(B, frame_channels, H, W)`` of stacked images, or everything."""
        return self._select_frames(observations)

    def observe(self, transitions: Transitions) -> None:
        """Show the statistics of observations the warm-up steps."""
        if self._warm_up_left:
            self._warm_up_left -= 1
            self.observations.update(transitions.next_obs)

    def network_input(self, states: Tensor) -> Tensor:
        """What the networks see of states, in their own precision, of the same shape."""
        return self.observations(states, self.dtype)

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout: statistics first if they go on, then ``epochs`` passes over its minibatches.

        Returns:
            The means over minibatches of what `learn_from` returned.
        """
        self.update_statistics(transitions)
        random = self.update_generator()
        return mean_losses([self._step(transitions[index], random) for index in self.minibatches(transitions, random)])

    def update_statistics(self, transitions: Transitions) -> None:
        """Show the statistics of observations the states of a rollout, if they go on after the warm-up."""
        if self.normalisation == "standardise":
            self.observations.update(transitions.next_obs)

    def minibatches(self, transitions: Transitions, random: torch.Generator) -> Iterator[Tensor]:
        """Indices of each minibatch of each pass."""
        config = self.config
        assert isinstance(config, MinibatchConfig)
        return minibatches(
            transitions.env_index, config.minibatches, config.minibatch_order, epochs=config.epochs, random=random
        )

    @abstractmethod
    def losses(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        """The scalars of a minibatch that are logged; the first is minimised.

        Args:
            batch: Transitions to learn from.
            random: Random numbers for this update, on the batch's device.
        """

    def descend(self, loss: Tensor, *, bounded: bool = True) -> None:
        """One step of the optimiser down a loss.

        Args:
            loss: Scalar to be made smaller.
            bounded: Whether gradients are bounded, if the configuration bounds them.
        """
        self.optimizers["networks"].zero_grad()
        loss.backward()
        if bounded and self.config.gradient_clip == "norm":
            nn.utils.clip_grad_norm_(self._trained, self.config.gradient_bound)
        elif bounded and self.config.gradient_clip == "value":
            nn.utils.clip_grad_value_(self._trained, self.config.gradient_bound)
        self.optimizers["networks"].step()

    def get_extra_state(self) -> dict[str, Any]:
        """The base's, and how much of the warm-up is still to come."""
        return super().get_extra_state() | {"warm_up_left": self._warm_up_left}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        super().set_extra_state(state)
        self._warm_up_left = int(state["warm_up_left"])

    def _step(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        losses = self.losses(batch, random)
        self.descend(next(iter(losses.values())))
        return {name: loss.detach() for name, loss in losses.items()}


def takes_convolutions(architecture: str, shape: tuple[int, ...], images: bool) -> bool:
    """Whether a generative model of such states is made of convolutions.

    Args:
        architecture: The setting of that name.
        shape: Shape of what is seen of one state.
        images: Whether that is an image.

    Raises:
        UserError: When convolutions are asked for and states are no images.
    """
    if architecture == "conv" and not images:
        raise UserError(f"architecture: conv needs images, not observations of shape {shape}: use mlp, or auto")
    return architecture == "conv" or (architecture == "auto" and images and min(shape[1:]) >= _SMALLEST_IMAGE)
