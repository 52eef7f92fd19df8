"""Disagreement (Pathak, Gandhi and Gupta 2019, arXiv 1906.04161).

K forward models f_1 .. f_K on features phi learn to predict phi(s'); where they have not seen enough they differ:

    bonus    eta 1/D sum_d var_k f_k(phi(s), a)_d, over members with divisor K, or K - 1 if ``unbiased``
    loss     sum_k mean_n m_kn / keep |f_k(phi(s), a) - phi(s')|, m_kn = 1 with probability ``keep``, else 0; phi has no
    gradient

A bonus looks at s and a alone: noise in s' that nothing predicts leaves the members in agreement once they predict its mean.
Differences from the codes are in this package's README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.rewards import Guarantees, Spaces, Transitions
from harness_curiosity.dynamics import DynamicsReward
from harness_curiosity.dynamics_configs import DisagreementConfig


class Disagreement(DynamicsReward[DisagreementConfig]):
    """The variance of an ensemble's predictions; see the module for formulas and `DisagreementConfig` for every choice."""

    def __init__(self, config: DisagreementConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed, name="disagreement", members=config.members)
        self._turn = 0

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """``eta`` times the members' variance for each transition, float32 ``(B,)``."""
        return (self.config.eta * self.variance(transitions)).to(torch.float32)

    @torch.no_grad()
    def variance(self, transitions: Transitions) -> Tensor:
        """The variance over members of their predictions, averaged over features, ``(B,)``."""
        features = self.encode(transitions.obs)
        predictions = torch.stack(self._predict(features, transitions.action)).flatten(2)
        return predictions.var(0, correction=int(self.config.unbiased)).mean(1)

    def member_errors(self, transitions: Transitions) -> Tensor:
        """Every member's error on each transition, ``(K, B)``; no gradient reaches the features."""
        features, next_features = self.encode(transitions.obs).detach(), self.encode(transitions.next_obs).detach()
        predictions = self._predict(features, transitions.action)
        return torch.stack([self.errors(predicted, next_features) for predicted in predictions])

    def ensemble_loss(self, transitions: Transitions) -> Tensor:
        """The sum over members of their mean error, everything counted."""
        return self.member_errors(transitions).mean(1).sum()

    def losses(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        """The members' loss and the features' own, if they learn.

        Returns:
            ``loss``, ``forward_loss`` (the mean over members that learn), and ``inverse_loss`` or ``vae_loss``.
        """
        features, next_features = self.encode(batch.obs), self.encode(batch.next_obs)
        errors = self._counted_errors(features.detach(), next_features.detach(), batch.action, random)
        own = self.feature_losses(batch, features, next_features, random)
        loss = errors.sum() + sum(own.values())
        return {"loss": loss, "forward_loss": errors.mean(), **own}

    def guarantees(self) -> Guarantees:
        """No member trains the features; a bonus is its transition's alone."""
        stops = ["features"] + (["inverse"] if self.inverse is not None else [])
        everything = self.config.member_data == "all" or (self.config.member_data == "dropout" and self.config.keep == 1)
        return Guarantees(
            frozen=["features"] if self.config.features == "random" else [],
            stops_gradient={"ensemble_loss": stops},
            depends_on="transition",
            any_order=self.config.minibatches == 1 and self.config.features != "vae" and everything,
        )

    def get_extra_state(self) -> dict[str, Any]:
        """The base's, and how many minibatches there were."""
        return super().get_extra_state() | {"turn": self._turn}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        super().set_extra_state(state)
        self._turn = int(state["turn"])

    def _counted_errors(self, features: Tensor, next_features: Tensor, action: Tensor, random: torch.Generator) -> Tensor:
        """The mean error of each member that learns from this minibatch, ``(members,)``."""
        members: Sequence[int] = range(self.config.members)
        if self.config.member_data == "round_robin":
            members = [self._turn % self.config.members]
            self._turn += 1
        predictions = self._predict(features, action, members)
        errors = torch.stack([self.errors(predicted, next_features) for predicted in predictions])
        if self.config.member_data == "dropout" and self.config.keep < 1:
            kept = torch.rand(errors.shape, generator=random, device=self.device) < self.config.keep
            errors = errors * kept / self.config.keep
        return errors.mean(1)

    def _predict(self, features: Tensor, action: Tensor, members: Sequence[int] | None = None) -> list[Tensor]:
        encoded = self.actions.encode(action, features.dtype)
        chosen = range(self.config.members) if members is None else members
        return [self.dynamics[member](features, encoded) for member in chosen]
