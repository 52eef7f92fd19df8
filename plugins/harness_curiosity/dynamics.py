"""What ICM and disagreement have in common: features, what those learn by themselves, and whether they are alive."""

from __future__ import annotations

from typing import TypeVar, cast

import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor, nn

from harness.nn.actions import ActionCodec, explained_share
from harness.nn.diagnostics import evenly_spaced_indices, target_diagnostics
from harness.nn.layers import mlp, orthogonal
from harness.rewards import Spaces, Transitions
from harness_curiosity.dynamics_configs import DynamicsConfig
from harness_curiosity.encoders import trainable
from harness_curiosity.features import VAEFeatures, build_features
from harness_curiosity.forward_models import build_forward_model
from harness_curiosity.reward import CuriosityReward

ConfigT = TypeVar("ConfigT", bound=DynamicsConfig)


class DynamicsReward(CuriosityReward[ConfigT]):
    """Features phi of states, an inverse model where there is use for one, and forward models.

    Attributes:
        features: phi, a module from what the networks see of states to features.
        inverse: The inverse model, from both states' features to a guess of the action; ``None`` where there is none.
        dynamics: Forward models, one or more.

    Raises:
        UserError: When observations or actions are not of a kind that the method takes.
    """

    def __init__(
        self,
        config: ConfigT,
        spaces: Spaces,
        n_envs: int,
        device: torch.device | str,
        seed: int,
        *,
        name: str,
        members: int = 1,
    ) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.actions = ActionCodec(spaces.action, name)
        features = build_features(config, self.shape, images=self.images)
        flat = len(features.shape) == 1
        self.inverse: nn.Module | None = None
        if config.features == "inverse" or (config.features == "pixels" and flat):
            self.inverse = mlp([2 * features.features_dim, config.inverse_hidden, self.actions.width])
        models = [
            build_forward_model(config, features.shape, features.features_dim, self.actions.width) for _ in range(members)
        ]
        self.features = features
        self.dynamics = nn.ModuleList(models)
        for module in (self.features, self.inverse, *self.dynamics):
            if module is not None:
                orthogonal(module, config.init_gain, self.generator)
        if config.features == "random":
            self.features.requires_grad_(False)
        self.start_learning(trainable(self))

    @property
    def features_frozen(self) -> bool:
        """Whether nothing ever changes the features."""
        return self.config.features in ("random", "pixels")

    def errors(self, predicted: Tensor, features: Tensor) -> Tensor:
        """The errors of predicted features, ``(B,)``, as ``aggregate`` says."""
        difference = (predicted - features).flatten(1)
        if self.config.aggregate == "norm":
            return torch.linalg.vector_norm(difference, dim=1)
        squared = difference.square()
        return squared.mean(1) if self.config.aggregate == "mean" else squared.sum(1) / 2

    def guess(self, features: Tensor, next_features: Tensor) -> Tensor:
        """The inverse model's guess of the action: logits, or the numbers of a box, ``(B, action_dim)``."""
        assert self.inverse is not None
        guesses = self.inverse(torch.cat([features, next_features], 1))
        squashed = self.config.inverse_output == "tanh" and isinstance(self.spaces.action, gym_spaces.Box)
        return guesses.tanh() if squashed else guesses

    def feature_losses(
        self, batch: Transitions, features: Tensor, next_features: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        """What the features learn by themselves, by its name in the log; empty where they learn nothing."""
        if self.inverse is not None:
            guesses = self.guess(features, next_features)
            error = self.actions.error(guesses, batch.action, norm=self.config.aggregate == "norm")
            return {"inverse_loss": error.mean()}
        if self.config.features == "vae":
            return {"vae_loss": self._vae_loss(batch.obs, random)}
        return {}

    def encode(self, states: Tensor) -> Tensor:
        """Features of raw states, with gradient if they learn."""
        return self.features(self.network_input(states))

    @torch.no_grad()
    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """How features and models do, on at most 128 states.

        Returns:
            ``target_std`` and ``target_rank`` of the features, which fall where they collapse (not of images);
            ``inverse_accuracy``, the share of actions that the inverse model tells (of boxes, of their variance);
            ``forward_explained``, the share of the next features' variance that is predicted.
        """
        sample = transitions[evenly_spaced_indices(len(transitions), self.device)]
        features, next_features = self.encode(sample.obs), self.encode(sample.next_obs)
        found: dict[str, float] = {}
        if features.ndim == 2:
            found |= target_diagnostics(next_features)
        if self.inverse is not None:
            found["inverse_accuracy"] = self.actions.score(self.guess(features, next_features), sample.action)
        predicted = self.dynamics[0](features, self.actions.encode(sample.action, features.dtype))
        found["forward_explained"] = explained_share(predicted.flatten(1), next_features.flatten(1))
        return found

    def _vae_loss(self, states: Tensor, random: torch.Generator) -> Tensor:
        """Minus the evidence lower bound; bytes get uniform noise, so that no pixel's density grows without bound."""
        phi = cast(VAEFeatures, self.features)
        noisy = states
        if states.dtype == torch.uint8 and self.normalisation == "random_play":
            noisy = states + torch.rand(states.shape, generator=random, device=self.device)
        noise = torch.randn((len(states), phi.features_dim), generator=random, device=self.device, dtype=self.dtype)
        return phi.negative_elbo(self.network_input(states), self.network_input(noisy), noise).mean()
