"""The intrinsic curiosity module (Pathak, Agrawal, Efros and Darrell 2017, arXiv 1705.05363; Burda et al. 2018, 1808.04355).

With phi the features of states, f a forward model, g an inverse model, and e = f(phi(s), a) - phi(s'):

    bonus   eta |e|, or log(1 + eta |e|); |.| by ``aggregate``: 1/2 sum e_d^2, mean e_d^2 or (sum e_d^2)^(1/2)
    loss    scale ((1 - beta) L_phi + beta mean |e|)
    L_phi   inverse: mean -log softmax(g(phi(s), phi(s')))_a, mean squared error or norm for boxes; vae: minus the evidence
    lower
            bound; random: none

In Pathak's code the loss of f trains phi through both states; in Burda's it stops before phi. Whatever ends an episode is
scored and learnt from like any other transition, with the true last state. Differences from the codes are in this package's
README.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.rewards import Guarantees, Spaces, Transitions
from harness_curiosity.dynamics import DynamicsReward
from harness_curiosity.dynamics_configs import ICMConfig


class ICM(DynamicsReward[ICMConfig]):
    """The error in predicting features of the next state; see the module for formulas and `ICMConfig` for every choice."""

    def __init__(self, config: ICMConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed, name="icm")

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """``eta |e|`` or ``log(1 + eta |e|)`` of each transition, float32 ``(B,)``."""
        scaled = self.config.eta * self.forward_error(transitions)
        return (scaled.log1p() if self.config.log1p else scaled).to(torch.float32)

    def forward_error(self, transitions: Transitions) -> Tensor:
        """|e| of each transition, ``(B,)``, with whatever gradient the configuration lets through."""
        return self.error_between(self.encode(transitions.obs), self.encode(transitions.next_obs), transitions.action)

    def error_between(self, features: Tensor, next_features: Tensor, action: Tensor) -> Tensor:
        """|e| between features that are known, ``(B,)``.

        Args:
            features: phi(s), ``(B, *shape)``.
            next_features: phi(s'), of the same shape.
            action: The actions as they are stored.
        """
        if not self._reaches_features:
            features, next_features = features.detach(), next_features.detach()
        predicted = self.dynamics[0](features, self.actions.encode(action, features.dtype))
        return self.errors(predicted, next_features)

    def forward_loss(self, transitions: Transitions) -> Tensor:
        """The mean of |e|, a scalar."""
        return self.forward_error(transitions).mean()

    def losses(self, batch: Transitions, random: torch.Generator) -> dict[str, Tensor]:
        """The weighted loss, then its parts.

        Returns:
            ``loss``, ``forward_loss``, and ``inverse_loss`` or ``vae_loss``.
        """
        features, next_features = self.encode(batch.obs), self.encode(batch.next_obs)
        forward_loss = self.error_between(features, next_features, batch.action).mean()
        own = self.feature_losses(batch, features, next_features, random)
        share = self.config.forward_share
        loss = share * forward_loss + sum((1 - share) * term for term in own.values())
        return {"loss": self.config.loss_scale * loss, "forward_loss": forward_loss, **own}

    def guarantees(self) -> Guarantees:
        """Where the forward model's gradient stops, what is frozen, and that a bonus is its transition's alone."""
        stops = ["features"] if not self._reaches_features else []
        stops += ["inverse"] if self.inverse is not None else []
        return Guarantees(
            frozen=["features"] if self.config.features == "random" else [],
            stops_gradient={"forward_loss": stops} if stops else {},
            depends_on="transition",
            any_order=self.config.minibatches == 1 and self.config.features != "vae",
        )

    @property
    def _reaches_features(self) -> bool:
        return self.config.forward_trains_features and self.config.features == "inverse"
