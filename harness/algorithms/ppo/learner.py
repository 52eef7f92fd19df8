"""PPO in a run: SB3's without a bonus or with a summed one, `TwoCriticPPO` with separate streams."""

from __future__ import annotations

from typing import Any, TypeVar

from stable_baselines3 import PPO
from stable_baselines3.common.policies import BasePolicy

from harness.algorithms.base import LearnerContext
from harness.algorithms.networks import MultiHeadActorCriticPolicy
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.on_policy.learner import OnPolicyLearner, OnPolicyModelT, gradient_norm, step_size
from harness.algorithms.ppo.config import PPOConfig
from harness.algorithms.ppo.lean_ppo import LeanPPO
from harness.algorithms.ppo.two_critics import TwoCriticPPO
from harness.algorithms.rollout_storage import CompactRolloutBuffer

ClippedConfigT = TypeVar("ClippedConfigT", bound=PPOConfig)


class ClippedObjectiveLearner(OnPolicyLearner[OnPolicyModelT, ClippedConfigT]):
    """Drives an algorithm with the settings of SB3's PPO; see `harness.algorithms.on_policy.learner.OnPolicyLearner`."""

    arguments = (
        "n_steps",
        "batch_size",
        "n_epochs",
        "gamma",
        "gae_lambda",
        "clip_range",
        "clip_range_vf",
        "normalize_advantage",
        "ent_coef",
        "vf_coef",
    )

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of every on-policy algorithm, Adam's epsilon, and one call for all layers: the same numbers in less time."""
        return super().policy_arguments(context) | {"optimizer_kwargs": {"eps": self.config.adam_epsilon, "foreach": True}}

    def model_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of the same name, the schedule of step sizes, and the bound of gradients."""
        config = self.config
        return super().model_arguments(context) | {
            "learning_rate": step_size(config.learning_rate, config.learning_rate_schedule),
            "max_grad_norm": gradient_norm(config.max_grad_norm),
        }


class PPOLearner(ClippedObjectiveLearner[PPO, PPOConfig]):
    """Drives SB3's PPO, or `TwoCriticPPO`."""

    model_class = PPO

    def __init__(self, config: PPOConfig, context: LearnerContext) -> None:
        bonus_env = context.bonus_env
        self._two_critics = bonus_env is not None and bonus_env.combine.mode == "two_critics"
        super().__init__(config, context)

    def algorithm_class(self) -> type[PPO]:
        """SB3's, which takes less time for the same numbers, or the one with two critics."""
        return TwoCriticPPO if self._two_critics else LeanPPO

    def policy_class(self, context: LearnerContext) -> type[BasePolicy]:
        """SB3's own policy wherever it suffices."""
        return MultiHeadActorCriticPolicy if self._two_critics else super().policy_class(context)

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of PPO, and the number of value heads."""
        return super().policy_arguments(context) | ({"n_value_heads": 2} if self._two_critics else {})

    def model_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of PPO, and a rollout buffer that keeps each image once, together with the method's rollout."""
        bonus_env = context.bonus_env
        stacks = bonus_env.stacks if isinstance(bonus_env, IntrinsicRewardVecEnv) else None
        buffer = {"frame_channels": context.base.frame_channels, "stacks": stacks}
        return super().model_arguments(context) | {
            "rollout_buffer_class": CompactRolloutBuffer,
            "rollout_buffer_kwargs": buffer,
        }
