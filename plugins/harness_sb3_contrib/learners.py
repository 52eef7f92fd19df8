"""TQC and QR-DQN in a run."""

from __future__ import annotations

from typing import Any

from sb3_contrib import QRDQN, TQC

from harness.algorithms.base import LearnerContext
from harness.algorithms.off_policy.epsilon_greedy import EpsilonGreedyLearner
from harness.algorithms.sac.learner import EntropyRegularisedLearner
from harness_sb3_contrib.configs import QRDQNConfig, TQCConfig


class TQCLearner(EntropyRegularisedLearner[TQC, TQCConfig]):
    """Drives sb3-contrib's TQC."""

    model_class = TQC
    arguments = (*EntropyRegularisedLearner.arguments, "top_quantiles_to_drop_per_net")

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of SAC, and the critics."""
        config = self.config
        arguments = super().policy_arguments(context)
        arguments |= {"n_quantiles": config.n_quantiles, "n_critics": config.n_critics}
        if config.net_arch is not None and config.critic_net_arch is not None:
            arguments["net_arch"] = {"pi": list(config.net_arch), "qf": list(config.critic_net_arch)}
        return arguments


class QRDQNLearner(EpsilonGreedyLearner[QRDQN, QRDQNConfig]):
    """Drives sb3-contrib's QR-DQN."""

    model_class = QRDQN
    networks = {"critics": ("quantile_net", "quantile_net_target")}  # noqa: RUF012  a ClassVar of the base
    arguments = (*EpsilonGreedyLearner.arguments, "max_grad_norm")

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of every off-policy algorithm, and the number of quantiles."""
        return super().policy_arguments(context) | {"n_quantiles": self.config.n_quantiles}
