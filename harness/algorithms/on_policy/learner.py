"""What learners that drive an on-policy algorithm of Stable-Baselines3 share."""

# SB3 keeps what a resumed run needs in protected attributes, and offers no other way to it:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeVar, cast

import numpy as np
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import FlattenExtractor, NatureCNN
from stable_baselines3.common.vec_env import VecEnv

from harness.algorithms.base import LearnerContext
from harness.algorithms.networks import MultiHeadActorCriticPolicy, load_network
from harness.algorithms.on_policy.config import OnPolicyConfig
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.reinitialisation import critic_parameters, reinitialise
from harness.algorithms.spaces import check_image_size
from harness.algorithms.stable_baselines import StableBaselinesLearner
from harness.rewards import IntrinsicReward
from harness.spec import Combination

OnPolicyModelT = TypeVar("OnPolicyModelT", bound=OnPolicyAlgorithm)
OnPolicyConfigT = TypeVar("OnPolicyConfigT", bound=OnPolicyConfig)


class OnPolicyLearner(StableBaselinesLearner[OnPolicyModelT, OnPolicyConfigT]):
    """Drives an algorithm one rollout and one update at a time; see `harness.algorithms.base.Learner`.

    SB3's ``learn`` writes its log between a rollout and the update that belongs to it. Here an iteration is whole before it
    is logged and saved, which is what makes a resumed run's log equal an unbroken one's.
    """

    replay = None

    def __init__(self, config: OnPolicyConfigT, context: LearnerContext) -> None:
        self.vector_steps_per_iteration = config.n_steps
        super().__init__(config, context)

    @staticmethod
    def wrap_envs(env: VecEnv, reward: IntrinsicReward, config: OnPolicyConfig, combine: Combination) -> IntrinsicRewardVecEnv:
        """The environments with a method, as this learner needs them."""
        return IntrinsicRewardVecEnv(env, reward, config.n_steps, combine)

    def policy_class(self, context: LearnerContext) -> type[BasePolicy]:
        """SB3's own policy wherever it suffices."""
        return self.sb3_policy() if self.config.network == "sb3" else MultiHeadActorCriticPolicy

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Layers and scaling, and the network if one is named."""
        arguments: dict[str, Any] = {"normalize_images": self.images}
        if self.config.network != "sb3":
            return arguments | {"network": load_network(context.registry, self.config.network)}
        if self.images:
            others = ", ".join(sorted(context.registry.networks.keys() - {"sb3"}))
            remedy = (
                f"set algorithm: {{network: NAME}} to one that fits (installed: {others}), or use an environment's vectors"
            )
            check_image_size(context.base, remedy)
        arguments["features_extractor_class"] = NatureCNN if self.images else FlattenExtractor
        if self.config.net_arch is not None:
            arguments["net_arch"] = list(self.config.net_arch)
        return arguments

    def iterate(self) -> dict[str, float]:
        """One rollout and one update; returns SB3's metrics."""
        model = self.model
        assert model.env is not None
        model.collect_rollouts(model.env, self._callback, model.rollout_buffer, n_rollout_steps=model.n_steps)
        self._iteration += 1
        steps = cast(int, model.num_timesteps)
        model._update_current_progress_remaining(steps, model._total_timesteps)
        model.train()
        metrics = self._count_metrics() | {name: float(value) for name, value in model.logger.name_to_value.items()}
        model.logger.name_to_value.clear()
        model.logger.name_to_count.clear()  # of `record_mean`
        return metrics

    def reset(self, parts: Collection[str], seed: int) -> None:
        """Initialise actor, critics or optimizers anew; see `harness.algorithms.reinitialisation` for what belongs to whom."""
        fresh = self.fresh_policy(seed).to(self.model.device)
        assert isinstance(fresh, ActorCriticPolicy)
        reinitialise(self.model.policy, fresh, self.critic_parameters(fresh), parts)

    def critic_parameters(self, policy: ActorCriticPolicy) -> set[str]:
        """Names of the parameters that belong to the critics."""
        return critic_parameters(policy)

    def start_from(self, state: Mapping[str, Any], step: int) -> None:
        """Take over networks and optimiser from another run's `state_dict`, after `begin`, and count on from ``step``."""
        self._load_networks(state)
        self.model.num_timesteps = step

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser and counters as a tree."""
        model = self.model
        return {
            "policy": model.policy.state_dict(),
            "optimizer": model.policy.optimizer.state_dict(),
            **self._counters(),
            "episode_starts": model._last_episode_starts,
        }

    def load_state_dict(self, state: Mapping[str, Any], observations: np.ndarray) -> None:
        """Continue where `state_dict` was called, after `begin`."""
        self._load_networks(state)
        self._load_counters(state)
        self.model._last_episode_starts = state["episode_starts"]
        self.model._last_obs = observations

    def _load_networks(self, state: Mapping[str, Any]) -> None:
        self.model.policy.load_state_dict(state["policy"])
        self.model.policy.optimizer.load_state_dict(state["optimizer"])


def step_size(rate: float, schedule: Literal["constant", "linear"]) -> float | Callable[[float], float]:
    """SB3's ``learning_rate``: constant, or annealed linearly to zero over the run."""
    return (lambda remaining: rate * remaining) if schedule == "linear" else rate


def gradient_norm(largest: float | None) -> float:
    """SB3's ``max_grad_norm``, without bound for ``None``."""
    return math.inf if largest is None else largest
