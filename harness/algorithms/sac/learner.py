"""SAC in a run: SB3's own, with bonuses computed for every sampled batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import TrainFreq
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.sac.policies import SACPolicy

from harness.algorithms import randomness
from harness.algorithms.base import LearnerContext
from harness.algorithms.off_policy.relabelling import RelabelledReplayBuffer, RelabellingVecEnv
from harness.algorithms.off_policy.replay_store import ReplayStore
from harness.algorithms.off_policy.representation import RepresentationPolicy, features_extractor, is_image
from harness.algorithms.sac.config import SACConfig
from harness.algorithms.stable_baselines import StableBaselinesLearner
from harness.errors import UserError
from harness.rewards import IntrinsicReward
from harness.spec import Combination, Purpose, derive_seeds


class SACLearner(StableBaselinesLearner[SAC]):
    """Drives SB3's SAC through as many of its cycles of collecting and training as one row of the log takes.

    See `harness.algorithms.base.Learner`. SB3 is called as its ``learn`` calls it, one gradient step at a time.

    Raises:
        UserError: Actions are not continuous.
    """

    def __init__(self, config: SACConfig, context: LearnerContext) -> None:
        _require_continuous(context)
        self.config = config
        self.vector_steps_per_iteration = config.cycles_per_iteration * config.train_freq
        super().__init__()
        bonus_env = context.bonus_env
        assert bonus_env is None or isinstance(bonus_env, RelabellingVecEnv)
        representation = None if bonus_env is None else bonus_env.reward.representation()
        self.model = SAC(
            _policy(bonus_env, representation, context.base.observation_space),
            bonus_env or context.learner_env,  # type: ignore[arg-type]
            policy_kwargs=_policy_arguments(config, bonus_env, representation, context.base.observation_space),
            seed=derive_seeds(context.spec.seed, Purpose.NETWORKS, 0, 1)[0],
            device=context.device,
            **_replay_arguments(bonus_env, representation),
            **{name: getattr(config, name) for name in _SB3_ARGUMENTS},
        )
        self.model.set_logger(Logger(folder=None, output_formats=[]))
        assert self.model.replay_buffer is not None
        self.replay = ReplayStore(self.model.replay_buffer)

    @staticmethod
    def wrap_envs(env: VecEnv, reward: IntrinsicReward, config: SACConfig, combine: Combination) -> RelabellingVecEnv:
        """The environments with a method, as this learner needs them."""
        return RelabellingVecEnv(env, reward, combine)

    def iterate(self) -> dict[str, float]:
        """Collect and learn until the next row of the log is due; returns SB3's metrics, averaged over gradient steps."""
        model, logs = self.model, defaultdict[str, list[float]](list)
        assert model.env is not None
        assert model.replay_buffer is not None
        assert isinstance(model.train_freq, TrainFreq)
        for _ in range(self.config.cycles_per_iteration):
            model.collect_rollouts(
                model.env,
                self._callback,
                train_freq=model.train_freq,
                replay_buffer=model.replay_buffer,
                learning_starts=model.learning_starts,
            )
            self.replay.record_added(self.config.train_freq)
            if self._n_stored >= self._learning_threshold:
                for _ in range(self.config.gradient_steps):
                    self._gradient_step(logs)
        self._iteration += 1
        metrics: dict[str, float] = {"time/iterations": self._iteration, "time/total_timesteps": model.num_timesteps}
        metrics |= self._episode_means() | {name: float(np.mean(values)) for name, values in logs.items()}
        return metrics | {"train/n_updates": model._n_updates}

    def reset(self, parts: Collection[str], seed: int) -> None:
        """Begin anew with some parts, between two iterations.

        The entropy coefficient belongs to the critics, in whose units it is: it begins anew with them, as in Proto-RL's
        second phase. What begins anew loses its optimiser's moments in any case. After an emptied replay, learning waits
        for ``learning_starts`` new transitions, which the present actor collects.

        Args:
            parts: ``actor``; ``critics``, with their targets; ``optimizers``, of all three; ``replay``, on the disk as well.
            seed: Of the new weights.
        """
        model = self.model
        with randomness.temporary_seed(seed):
            fresh: SACPolicy = model.policy_class(  # type: ignore[assignment]
                model.observation_space, model.action_space, model.lr_schedule, **model.policy_kwargs
            )
        if "actor" in parts:
            model.actor.load_state_dict(fresh.actor.state_dict())
        if "critics" in parts:
            if model.log_ent_coef is not None:
                model.log_ent_coef.data.fill_(float(np.log(self.config.initial_ent_coef)))
            model.critic.load_state_dict(fresh.critic.state_dict())
            model.critic_target.load_state_dict(fresh.critic.state_dict())
        anew = {"actor": "actor" in parts, "critic": "critics" in parts, "ent_coef": "critics" in parts}
        for name, optimizer in self._optimizers.items():
            if anew[name] or "optimizers" in parts:
                optimizer.state.clear()
        if "replay" in parts:
            self.replay.clear()

    def start_from(self, state: Mapping[str, Any], step: int) -> None:
        """Take over networks, entropy coefficient and optimisers from another run's `state_dict`, after `begin`.

        The replay begins empty, and steps are counted on from ``step``.
        """
        self._load_networks(state)
        self.model.num_timesteps = step

    @property
    def _n_stored(self) -> int:
        """Transitions in the replay, over all environments."""
        assert self.model.replay_buffer is not None
        return self.model.replay_buffer.size() * self.model.n_envs

    @property
    def _learning_threshold(self) -> int:
        """Transitions from which on there is learning: more than ``learning_starts``, or all that the replay holds."""
        assert self.model.replay_buffer is not None
        return min(self.config.learning_starts + 1, self.model.replay_buffer.buffer_size * self.model.n_envs)

    def state_dict(self) -> dict[str, Any]:
        """Networks, targets, optimisers, entropy coefficient, counters and the stream of random actions as a tree."""
        model = self.model
        return {
            "policy": model.policy.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()},
            "log_ent_coef": model.log_ent_coef,
            **self._counters(),
            "episode_num": model._episode_num,
            "random_actions": model.action_space.np_random.bit_generator.state,
        }

    def load_state_dict(self, state: Mapping[str, Any], observations: np.ndarray) -> None:
        """Continue where `state_dict` was called, after `begin`."""
        model = self.model
        self._load_networks(state)
        self._load_counters(state)
        model._episode_num = state["episode_num"]
        model.action_space.np_random.bit_generator.state = state["random_actions"]
        model._last_obs = observations

    def _load_networks(self, state: Mapping[str, Any]) -> None:
        model = self.model
        model.policy.load_state_dict(state["policy"])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if model.log_ent_coef is not None:
            model.log_ent_coef.data.copy_(state["log_ent_coef"])

    @property
    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        model = self.model
        found = {"actor": model.actor.optimizer, "critic": model.critic.optimizer}
        return found if model.ent_coef_optimizer is None else found | {"ent_coef": model.ent_coef_optimizer}

    def _gradient_step(self, logs: dict[str, list[float]]) -> None:
        """One gradient step; with a ``tau`` of 0 SB3 leaves the targets as they are."""
        model = self.model
        model.tau = 0.0 if model._n_updates % self.config.target_update_interval else self.config.tau
        model.train(gradient_steps=1, batch_size=model.batch_size)
        for name, value in model.logger.name_to_value.items():
            logs[name].append(float(value))
        model.logger.name_to_value.clear()


_SB3_ARGUMENTS = (
    "learning_rate",
    "buffer_size",
    "learning_starts",
    "batch_size",
    "tau",
    "gamma",
    "train_freq",
    "gradient_steps",
    "ent_coef",
    "target_entropy",
)
"""Fields of `SACConfig` that SB3's SAC takes under the same name."""


def _require_continuous(context: LearnerContext) -> None:
    space = context.base.action_space
    if not isinstance(space, spaces.Box):
        family = context.spec.environment.family
        raise UserError(f"sac needs continuous actions, and environments of family {family!r} have {space}: use ppo")


def _policy(bonus_env: RelabellingVecEnv | None, representation: torch.nn.Module | None, space: spaces.Space) -> Any:
    """SB3's own policy, by name, unless a method learns what it sees."""
    if representation is not None:
        return RepresentationPolicy
    return "CnnPolicy" if is_image(space) else "MlpPolicy"


def _policy_arguments(
    config: SACConfig, bonus_env: RelabellingVecEnv | None, representation: torch.nn.Module | None, space: spaces.Space
) -> dict[str, Any]:
    arguments: dict[str, Any] = features_extractor(space, representation, config.trunk_dim)
    if config.net_arch is not None:
        arguments["net_arch"] = list(config.net_arch)
    if bonus_env is not None and representation is not None:
        arguments |= {"reward": bonus_env.reward, "representation": representation}
    return arguments


def _replay_arguments(bonus_env: RelabellingVecEnv | None, representation: torch.nn.Module | None) -> dict[str, Any]:
    if bonus_env is None:
        return {"replay_buffer_class": ReplayBuffer}
    arguments = {"bonus_env": bonus_env, "representation": representation}
    return {"replay_buffer_class": RelabelledReplayBuffer, "replay_buffer_kwargs": arguments}
