"""A2C, DQN and TD3 in a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3 import A2C, DQN, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

from harness.algorithms.base import LearnerContext
from harness.algorithms.off_policy.epsilon_greedy import EpsilonGreedyLearner
from harness.algorithms.off_policy.learner import OFF_POLICY_ARGUMENTS, OffPolicyLearner, actor_critic_optimizers
from harness.algorithms.on_policy.learner import OnPolicyLearner, gradient_norm, step_size
from harness_sb3.configs import A2CConfig, DQNConfig, TD3Config

_OPTIMIZERS = {"rmsprop": torch.optim.RMSprop, "rmsprop_tf": RMSpropTFLike, "adam": torch.optim.Adam}
_RMSPROP_DECAY = 0.99


class A2CLearner(OnPolicyLearner[A2C, A2CConfig]):
    """Drives SB3's A2C."""

    model_class = A2C
    arguments = ("n_steps", "gamma", "gae_lambda", "normalize_advantage", "ent_coef", "vf_coef")

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of every on-policy algorithm, and the optimiser."""
        config = self.config
        settings = {"eps": config.optimizer_epsilon} | ({} if config.optimizer == "adam" else {"alpha": _RMSPROP_DECAY})
        optimizer = {"optimizer_class": _OPTIMIZERS[config.optimizer], "optimizer_kwargs": settings}
        return super().policy_arguments(context) | optimizer

    def model_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of the same name, the schedule of step sizes, and the bound of gradients."""
        return super().model_arguments(context) | {
            "learning_rate": step_size(self.config.learning_rate, self.config.learning_rate_schedule),
            "max_grad_norm": gradient_norm(self.config.max_grad_norm),
        }


class DQNLearner(EpsilonGreedyLearner[DQN, DQNConfig]):
    """Drives SB3's DQN."""

    model_class = DQN
    networks = {"critics": ("q_net", "q_net_target")}  # noqa: RUF012  a ClassVar of the base
    arguments = (*EpsilonGreedyLearner.arguments, "max_grad_norm")


class TD3Learner(OffPolicyLearner[TD3, TD3Config]):
    """Drives SB3's TD3; the count of gradient steps, on which its delay depends, is in the checkpoint."""

    model_class = TD3
    networks = {"actor": ("actor", "actor_target"), "critics": ("critic", "critic_target")}  # noqa: RUF012
    arguments = (*OFF_POLICY_ARGUMENTS, "policy_delay", "target_policy_noise", "target_noise_clip")

    def optimizers(self) -> Mapping[str, tuple[str, torch.optim.Optimizer]]:
        """Those of actor and critics."""
        return actor_critic_optimizers(self.model.policy)

    def model_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of the same name, and the noise with which it explores."""
        shape = context.base.action_space.shape
        assert shape is not None
        noise = NormalActionNoise(np.zeros(shape), np.full(shape, self.config.exploration_noise))
        return super().model_arguments(context) | {"action_noise": noise}
