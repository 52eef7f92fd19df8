"""SAC in a run: SB3's own, with bonuses computed for every sampled batch."""

# SB3 keeps what a resumed run needs in protected attributes, and offers no other way to it:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from harness.algorithms.off_policy.learner import OFF_POLICY_ARGUMENTS, OffPolicyLearner, actor_critic_optimizers
from harness.algorithms.sac.config import SACConfig

EntropyModelT = TypeVar("EntropyModelT", bound=OffPolicyAlgorithm)
EntropyConfigT = TypeVar("EntropyConfigT", bound=SACConfig)


class EntropyRegularisedLearner(OffPolicyLearner[EntropyModelT, EntropyConfigT]):
    """Drives an algorithm like SB3's SAC, with an entropy coefficient that may be learned.

    See `harness.algorithms.off_policy.learner.OffPolicyLearner`. The coefficient belongs to the critics, in whose units it
    is: it begins anew with them, as in Proto-RL's second phase.
    """

    networks = {"actor": ("actor",), "critics": ("critic", "critic_target")}  # noqa: RUF012  a ClassVar of the base
    arguments = (*OFF_POLICY_ARGUMENTS, "ent_coef", "target_entropy")

    @property
    def trunk_dim(self) -> int | None:
        """Units of a layer under each network; ``None`` for no such layer."""
        return self.config.trunk_dim

    @property
    def log_ent_coef(self) -> torch.Tensor | None:
        """Logarithm of a learned entropy coefficient, float32 ``(1,)``; ``None`` if it is fixed."""
        model: Any = self.model
        return model.log_ent_coef

    def optimizers(self) -> Mapping[str, tuple[str, torch.optim.Optimizer]]:
        """Those of actor and critics, and of a learned entropy coefficient."""
        model: Any = self.model
        found = actor_critic_optimizers(self.model.policy)
        return found if model.ent_coef_optimizer is None else found | {"ent_coef": ("critics", model.ent_coef_optimizer)}

    def gradient_step(self) -> None:
        """One gradient step; with a ``tau`` of 0 SB3 leaves the targets as they are."""
        model = self.model
        model.tau = 0.0 if model._n_updates % self.config.target_update_interval else self.config.tau
        super().gradient_step()

    def reset(self, parts: Collection[str], seed: int) -> None:
        """Begin anew with some parts; see `OffPolicyLearner.reset`."""
        super().reset(parts, seed)
        if "critics" in parts and self.log_ent_coef is not None:
            self.log_ent_coef.data.fill_(float(np.log(self.config.initial_ent_coef)))

    def state_dict(self) -> dict[str, Any]:
        """Also the entropy coefficient."""
        return super().state_dict() | {"log_ent_coef": self.log_ent_coef}

    def _load_networks(self, state: Mapping[str, Any]) -> None:
        super()._load_networks(state)
        if self.log_ent_coef is not None:
            self.log_ent_coef.data.copy_(state["log_ent_coef"])


class SACLearner(EntropyRegularisedLearner[SAC, SACConfig]):
    """Drives SB3's SAC."""

    model_class = SAC
