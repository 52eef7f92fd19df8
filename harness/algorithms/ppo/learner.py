"""PPO in a run: SB3's own without a bonus or with a summed one, `TwoCriticPPO` with separate streams."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from harness.algorithms import randomness
from harness.algorithms.base import LearnerContext
from harness.algorithms.networks import MultiHeadActorCriticPolicy
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.ppo.config import PPOConfig
from harness.algorithms.ppo.two_critics import TwoCriticPPO
from harness.algorithms.reinitialisation import reinitialise
from harness.algorithms.stable_baselines import StableBaselinesLearner
from harness.errors import UserError
from harness.rewards import IntrinsicReward
from harness.spec import Combination, Purpose, derive_seeds


class PPOLearner(StableBaselinesLearner[PPO]):
    """Drives SB3's PPO one rollout and one update at a time; see `harness.algorithms.base.Learner`.

    SB3's ``learn`` writes its log between a rollout and the update that belongs to it. Here an iteration is whole before it
    is logged and saved, which is what makes a resumed run's log equal an unbroken one's.
    """

    replay = None

    def __init__(self, config: PPOConfig, context: LearnerContext) -> None:
        self.vector_steps_per_iteration = config.n_steps
        super().__init__()
        bonus_env = context.bonus_env
        two_critics = bonus_env is not None and bonus_env.combine.mode == "two_critics"
        env = bonus_env or context.learner_env
        self.model: PPO = (TwoCriticPPO if two_critics else PPO)(
            _policy(config, context, two_critics=two_critics),
            env,  # type: ignore[arg-type]
            policy_kwargs=_policy_arguments(config, context, two_critics=two_critics),
            learning_rate=_schedule(config),
            seed=derive_seeds(context.spec.seed, Purpose.NETWORKS, 0, 1)[0],
            device=context.device,
            max_grad_norm=math.inf if config.max_grad_norm is None else config.max_grad_norm,
            **{name: getattr(config, name) for name in _SB3_ARGUMENTS},
        )
        self.model.set_logger(Logger(folder=None, output_formats=[]))

    @staticmethod
    def wrap_envs(env: VecEnv, reward: IntrinsicReward, config: PPOConfig, combine: Combination) -> IntrinsicRewardVecEnv:
        """The environments with a method, as this learner needs them."""
        return IntrinsicRewardVecEnv(env, reward, config.n_steps, combine)

    def iterate(self) -> dict[str, float]:
        """One rollout and one update; returns SB3's metrics."""
        model = self.model
        assert model.env is not None
        model.collect_rollouts(model.env, self._callback, model.rollout_buffer, n_rollout_steps=model.n_steps)
        self._iteration += 1
        model._update_current_progress_remaining(model.num_timesteps, model._total_timesteps)
        model.train()
        metrics: dict[str, float] = {"time/iterations": self._iteration, "time/total_timesteps": model.num_timesteps}
        metrics |= self._episode_means() | {name: float(value) for name, value in model.logger.name_to_value.items()}
        model.logger.name_to_value.clear()
        return metrics

    def reset(self, parts: Collection[str], seed: int) -> None:
        """Initialise actor, critics or optimizers anew; see `harness.algorithms.reinitialisation` for what belongs to whom."""
        model = self.model
        with randomness.temporary_seed(seed):
            policy_class: type[ActorCriticPolicy] = model.policy_class  # type: ignore[assignment]
            fresh = policy_class(model.observation_space, model.action_space, model.lr_schedule, **model.policy_kwargs)
        reinitialise(model.policy, fresh.to(model.device), parts)

    def start_from(self, state: Mapping[str, Any], step: int) -> None:
        """Take over networks and optimiser from another run's `state_dict`, after `begin`, and count on from ``step``."""
        self.model.policy.load_state_dict(state["policy"])
        self.model.policy.optimizer.load_state_dict(state["optimizer"])
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
        model = self.model
        model.policy.load_state_dict(state["policy"])
        model.policy.optimizer.load_state_dict(state["optimizer"])
        self._load_counters(state)
        model._last_episode_starts = state["episode_starts"]
        model._last_obs = observations


_SB3_ARGUMENTS = (
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
"""Fields of `PPOConfig` that SB3's PPO takes under the same name."""


_NATURE_CNN_SIDE = 36
"""The smallest side that SB3's three convolutions, 8x8/4, 4x4/2 and 3x3/1, leave anything of."""


def _schedule(config: PPOConfig) -> Any:
    if config.learning_rate_schedule == "linear":
        return lambda remaining: config.learning_rate * remaining
    return config.learning_rate


def _policy(config: PPOConfig, context: LearnerContext, *, two_critics: bool) -> Any:
    """SB3's own policy, by name, wherever it suffices."""
    if config.network == "sb3" and _is_image(context):
        _check_image_size(context)
    if two_critics or config.network != "sb3":
        return MultiHeadActorCriticPolicy
    return "CnnPolicy" if _is_image(context) else "MlpPolicy"


def _policy_arguments(config: PPOConfig, context: LearnerContext, *, two_critics: bool) -> dict[str, Any]:
    from stable_baselines3.common.torch_layers import NatureCNN

    arguments: dict[str, Any] = {"optimizer_kwargs": {"eps": config.adam_epsilon}}
    if config.net_arch is not None:
        arguments["net_arch"] = list(config.net_arch)
    if two_critics or config.network != "sb3":
        arguments["n_value_heads"] = 2 if two_critics else 1
    if config.network != "sb3":
        network = context.registry.network(config.network)
        arguments["network"] = context.registry.load(network.build)
    elif two_critics and _is_image(context):
        arguments["features_extractor_class"] = NatureCNN
        arguments.setdefault("net_arch", [])
    return arguments


def _check_image_size(context: LearnerContext) -> None:
    size = context.base.observation_space.shape[1:]  # type: ignore[index]
    if min(size) < _NATURE_CNN_SIDE:
        others = ", ".join(sorted(context.registry.networks.keys() - {"sb3"}))
        raise UserError(
            f"images of {size[0]}x{size[1]} are too small for network sb3, whose convolutions need {_NATURE_CNN_SIDE} pixels; "
            f"set algorithm: {{network: NAME}} to one that fits (installed: {others}), or use an environment's vectors"
        )


def _is_image(context: LearnerContext) -> bool:
    space = context.base.observation_space
    return isinstance(space, spaces.Box) and space.dtype == np.uint8 and len(space.shape) == 3
