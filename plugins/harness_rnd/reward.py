"""Random network distillation (Burda, Edwards, Storkey and Klimov 2018, arXiv 1810.12894).

A frozen random network f maps states to features; a predictor g learns to match it on the states that are visited. Where g is
still wrong is new:

    bonus      e(x) = 1/D sum_d (g_d(x) - f_d(x))^2 on the normalised next state, divided by the running standard deviation
               of its discounted sum
    predictor  L = sum_n m_n e(x_n) / max(sum_n m_n, 1) with a random mask m

Order within a rollout (OpenAI's ``ppo_agent.py``): all bonuses with the statistics and weights from before it, then the
observation statistics, then the predictor. Differences from the reference codes are in this package's README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from harness.nn.clipping import BonusClipper
from harness.nn.diagnostics import evenly_spaced_indices, target_diagnostics
from harness.nn.distillation import masked_mean
from harness.nn.frames import FrameSelector
from harness.nn.minibatches import minibatches
from harness.nn.moments import ReturnNormaliser
from harness.nn.observations import ObservationNormaliser
from harness.rewards import IntrinsicReward, Spaces, Transitions
from harness_rnd.config import RNDConfig
from harness_rnd.encoders import build_pair

_UNMASKED_ENVS = 32
"""Environments whose experience trains the predictor without a mask; with more, the paper keeps the batch at this size."""


class RND(IntrinsicReward[RNDConfig]):
    """The error in predicting a fixed random network; see the module for formulas and `RNDConfig` for every choice.

    Raises:
        UserError: When observations are not a box of numbers, or the architecture does not fit them.
    """

    def __init__(self, config: RNDConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self._select_frames = FrameSelector(spaces.observation, spaces.frame_channels, config.frames)
        shape = self._select_frames.shape
        self.pair = build_pair(config, shape, images=spaces.frame_channels is not None, generator=self.generator)
        self.observations = ObservationNormaliser(
            shape, config.observation_normalisation, clip=config.observation_clip, statistics=config.statistics
        )
        if config.bonus_normalisation == "return_std":
            self.normaliser = ReturnNormaliser(n_envs, config.bonus_gamma)
        self.warm_up_steps = config.warm_up_steps if self.observations.moments is not None else 0
        self._warm_up_left = self.warm_up_steps
        self._clip = BonusClipper(config.bonus_clip, self.device)
        self._features: Tensor | None = None  # the target's, of the minibatch that is learnt from, where they are known
        self.keep = min(1.0, _UNMASKED_ENVS / n_envs) if config.keep is None else config.keep
        self.to(self.device)
        self.optimizers["predictor"] = torch.optim.Adam(
            self.pair.predictor.parameters(), lr=config.learning_rate, eps=config.adam_epsilon, foreach=True
        )

    def view(self, observations: np.ndarray) -> np.ndarray:
        """The newest frame ``(B, frame_channels, H, W)`` of stacked images, or everything."""
        return self._select_frames(observations)

    def observe(self, transitions: Transitions) -> None:
        """Update the statistics: at every step if they are ``cumulative``, else while warming up only."""
        if self.config.statistics == "cumulative":
            self.observations.update(transitions.states(self.config.train_on))
        elif self._warm_up_left:
            self._warm_up_left -= 1
            self.observations.update(transitions.states(self.config.train_on))

    def bonus(self, transitions: Transitions) -> Tensor:
        """``clip(eta * error)`` of the scored states, float32 ``(B,)``."""
        return self._clip(self.config.eta * self.error(transitions.states(self.config.bonus_on)))

    def update(self, transitions: Transitions) -> dict[str, float]:
        """One rollout: statistics first, then the predictor.

        Returns:
            ``predictor_loss``, the mean over minibatches.
        """
        states = transitions.states(self.config.train_on)
        if self.config.statistics == "chan":
            self.observations.update(states)
        parts = minibatches(
            transitions.env_index,
            self.config.minibatches,
            self.config.minibatch_order,
            epochs=self.config.epochs,
            random=self.generator,
        )
        losses: list[Tensor] = []
        features: Tensor | None = None
        for number, index in enumerate(parts):
            if number == 0 and self._passes_repeat:
                features = self._known_features(states, index)
            losses.append(self._learn(states[index], None if features is None else features[index]))
        return {"predictor_loss": float(torch.stack(losses).mean())}

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """How much the target tells states apart, and what clipping costs.

        Returns:
            ``target_std`` and ``target_rank``, see `target_diagnostics`; ``clipped_share``, how much of eta * error was cut
            off.
        """
        states = transitions.states(self.config.train_on)[evenly_spaced_indices(len(transitions), self.device)]
        diagnostics = target_diagnostics(self.pair.target(self.network_input(states)))
        return diagnostics | {"clipped_share": self._clip.pop_share()}

    def network_input(self, states: Tensor) -> Tensor:
        """Normalised states in the networks' own precision, of the same shape."""
        return self.observations(states, next(self.pair.parameters()).dtype)

    @torch.no_grad()
    def error(self, states: Tensor) -> Tensor:
        """The predictor's error on a batch of states, ``(B,)``: mean or half sum over features."""
        squared = self.pair.squared_error(self.network_input(states))
        return squared.mean(1) if self.config.aggregation == "mean" else squared.sum(1) / 2

    def loss(self, states: Tensor, keep: Tensor | None = None) -> Tensor:
        """The predictor's loss: the mean squared error of what is kept, 0 when nothing is.

        Args:
            states: ``(B, *shape)``, as `view` gives them.
            keep: Bool ``(B,)`` for samples or ``(B, D)`` for single entries; ``None`` keeps everything.
        """
        if keep is not None and keep.ndim == 1:  # what is left out need not pass through the networks
            states, keep = states[keep], None
        return masked_mean(self.pair.squared_error(self.network_input(states), self._features), keep)

    def get_extra_state(self) -> dict[str, Any]:
        """The base's, and how much of the warm-up is still to come."""
        return super().get_extra_state() | {"warm_up_left": self._warm_up_left}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        super().set_extra_state(state)
        self._warm_up_left = int(state["warm_up_left"])

    @property
    def _passes_repeat(self) -> bool:
        """Whether the target would see every state several times in an update, always the same way."""
        masked = self.config.mask == "sample" and self.keep < 1
        return self.config.epochs > 1 and not masked

    @torch.no_grad()
    def _known_features(self, states: Tensor, index: Tensor) -> Tensor | None:
        """The target's features of a whole rollout, ``(T * N, D)``.

        Args:
            states: The states of the rollout, ``(T * N, *shape)``.
            index: A minibatch of them, which is looked at for proof.

        Returns:
            ``None`` where a minibatch by itself has other features in any bit: then nothing is gained that would not be lost.
        """
        target, parts = self.pair.target, cast(Sequence[Tensor], states.split(len(index)))
        features = torch.cat([target(self.network_input(part)) for part in parts])
        return features if torch.equal(features[index], target(self.network_input(states[index]))) else None

    def _learn(self, states: Tensor, features: Tensor | None) -> Tensor:
        self._features = features
        loss = self.loss(states, self._draw_mask(len(states)))
        self._features = None
        self.optimizers["predictor"].zero_grad()
        loss.backward()
        self.optimizers["predictor"].step()
        return loss.detach()

    def _draw_mask(self, n: int) -> Tensor | None:
        if self.config.mask == "none" or self.keep == 1:
            return None
        shape = (n,) if self.config.mask == "sample" else (n, self.config.feature_dim)
        return (torch.rand(shape, generator=self.generator) < self.keep).to(self.device)
