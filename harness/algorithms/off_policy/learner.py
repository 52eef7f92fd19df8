"""What learners that drive an off-policy algorithm of Stable-Baselines3 share; bonuses are computed for sampled batches."""

# SB3 keeps what a resumed run needs in protected attributes, and offers no other way to it:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import TrainFreq
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from harness.algorithms.base import LearnerContext
from harness.algorithms.lean_adam import use_lean_adam
from harness.algorithms.off_policy.config import OffPolicyConfig
from harness.algorithms.off_policy.relabelling import RelabelledReplayBuffer, RelabellingVecEnv
from harness.algorithms.off_policy.representation import features_extractor, on_representation
from harness.algorithms.replay_frames import CompactReplayBuffer
from harness.algorithms.replay_store import ReplayStore
from harness.algorithms.spaces import check_image_size
from harness.algorithms.stable_baselines import StableBaselinesLearner
from harness.rewards import IntrinsicReward
from harness.spec import Combination

OffPolicyModelT = TypeVar("OffPolicyModelT", bound=OffPolicyAlgorithm)
OffPolicyConfigT = TypeVar("OffPolicyConfigT", bound=OffPolicyConfig)

OFF_POLICY_ARGUMENTS = (
    "learning_rate",
    "buffer_size",
    "learning_starts",
    "batch_size",
    "tau",
    "gamma",
    "train_freq",
    "gradient_steps",
)
"""Fields of `OffPolicyConfig` that every off-policy algorithm of SB3 takes under the same name."""


class OffPolicyLearner(StableBaselinesLearner[OffPolicyModelT, OffPolicyConfigT]):
    """Drives an algorithm through as many of its cycles of collecting and training as one row of the log takes.

    See `harness.algorithms.base.Learner`. SB3 is called as its ``learn`` calls it, one gradient step at a time.
    """

    networks: ClassVar[Mapping[str, Sequence[str]]]
    """Attributes of the policy that hold networks, targets included, by the part that a phase may reset."""

    arguments = OFF_POLICY_ARGUMENTS

    def __init__(self, config: OffPolicyConfigT, context: LearnerContext) -> None:
        self.vector_steps_per_iteration = config.cycles_per_iteration * config.train_freq
        bonus_env = context.bonus_env
        assert bonus_env is None or isinstance(bonus_env, RelabellingVecEnv)
        self._bonus_env = bonus_env
        self._representation = None if bonus_env is None else bonus_env.reward.representation()
        super().__init__(config, context)
        for _, optimizer in self.optimizers().values():
            use_lean_adam(optimizer)
        self.replay = ReplayStore(self.replay_buffer)

    @staticmethod
    def wrap_envs(env: VecEnv, reward: IntrinsicReward, config: OffPolicyConfig, combine: Combination) -> RelabellingVecEnv:
        """The environments with a method, as this learner needs them."""
        return RelabellingVecEnv(env, reward, combine)

    @property
    def replay_buffer(self) -> ReplayBuffer:
        """SB3's, or the one that scores what is sampled."""
        assert self.model.replay_buffer is not None
        return self.model.replay_buffer

    @property
    def trunk_dim(self) -> int | None:
        """Units of a layer under each network; ``None`` for no such layer."""
        return None

    def optimizers(self) -> Mapping[str, tuple[str, torch.optim.Optimizer]]:
        """Every optimiser by name, with the part that a phase may reset to which it belongs."""
        policy = self.model.policy
        return {"policy": ("critics", policy.optimizer)}

    def policy_class(self, context: LearnerContext) -> type[BasePolicy]:
        """SB3's own policy, unless a method learns what it sees."""
        own = self.sb3_policy()
        return own if self._representation is None else on_representation(own)

    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """What lies between observations and networks, and their layers."""
        representation = self._representation
        if self.images and representation is None:
            check_image_size(context.base, "use larger ones, an environment's vectors, or an algorithm that takes a network")
        arguments = features_extractor(images=self.images, representation=representation, trunk_dim=self.trunk_dim)
        arguments["normalize_images"] = self.images and representation is None
        if self.config.net_arch is not None:
            arguments["net_arch"] = list(self.config.net_arch)
        if self._bonus_env is not None and representation is not None:
            arguments |= {"reward": self._bonus_env.reward, "representation": representation}
        return arguments

    def model_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Those of the same name, and the replay buffer."""
        arguments = super().model_arguments(context)
        buffer: dict[str, Any] = {"frame_channels": context.base.frame_channels}
        if self._bonus_env is None:
            return arguments | {"replay_buffer_class": CompactReplayBuffer, "replay_buffer_kwargs": buffer}
        buffer |= {"bonus_env": self._bonus_env, "representation": self._representation}
        return arguments | {"replay_buffer_class": RelabelledReplayBuffer, "replay_buffer_kwargs": buffer}

    def iterate(self) -> dict[str, float]:
        """Collect and learn until the next row of the log is due; returns SB3's metrics, averaged over all calls."""
        model, logs = self.model, defaultdict[str, list[float]](list)
        assert model.env is not None
        assert isinstance(model.train_freq, TrainFreq)
        for _ in range(self.config.cycles_per_iteration):
            model.collect_rollouts(
                model.env,
                self._callback,
                train_freq=model.train_freq,
                replay_buffer=self.replay_buffer,
                action_noise=model.action_noise,
                learning_starts=model.learning_starts,
            )
            self._take_logs(logs)
            self.replay.record_added(self.config.train_freq)
            if self._n_stored >= self._learning_threshold:
                for _ in range(self.config.gradient_steps):
                    self.gradient_step()
                    self._take_logs(logs)
        self._iteration += 1
        metrics = self._count_metrics() | {name: float(np.mean(values)) for name, values in logs.items()}
        return metrics | {"train/n_updates": model._n_updates}

    def gradient_step(self) -> None:
        """One gradient step on one sampled batch."""
        self.model.train(gradient_steps=1, batch_size=self.model.batch_size)

    def reset(self, parts: Collection[str], seed: int) -> None:
        """Begin anew with some parts, between two iterations.

        What begins anew loses its optimiser's moments in any case. After an emptied replay, learning waits for
        ``learning_starts`` new transitions, which the present policy collects.

        Args:
            parts: Some of `networks`, with their targets; ``optimizers``, of all of them; ``replay``, on the disk as well.
            seed: Seed of the new weights.
        """
        fresh = self.fresh_policy(seed)
        for part in parts:
            for name in self.networks.get(part, ()):
                self._network(self.model.policy, name).load_state_dict(self._network(fresh, name).state_dict())
        for part, optimizer in self.optimizers().values():
            if part in parts or "optimizers" in parts:
                optimizer.state.clear()
        if "replay" in parts:
            self.replay.clear()

    def start_from(self, state: Mapping[str, Any], step: int) -> None:
        """Take over networks and optimisers from another run's `state_dict`, after `begin`.

        The replay begins empty, and steps are counted on from ``step``.
        """
        self._load_networks(state)
        self.model.num_timesteps = step

    def state_dict(self) -> dict[str, Any]:
        """Networks, targets, optimisers, counters and the stream of random actions as a tree."""
        model = self.model
        return {
            "policy": model.policy.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, (_, optimizer) in self.optimizers().items()},
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
        self.model.policy.load_state_dict(state["policy"])
        for name, (_, optimizer) in self.optimizers().items():
            optimizer.load_state_dict(state["optimizers"][name])

    @property
    def _n_stored(self) -> int:
        """Transitions in the replay, over all environments."""
        return self.replay_buffer.size() * self.model.n_envs

    @property
    def _learning_threshold(self) -> int:
        """Transitions from which on there is learning: more than ``learning_starts``, or all that the replay holds."""
        return min(self.config.learning_starts + 1, self.replay_buffer.buffer_size * self.model.n_envs)

    @staticmethod
    def _network(policy: BasePolicy, name: str) -> nn.Module:
        return policy.get_submodule(name)

    def _take_logs(self, logs: dict[str, list[float]]) -> None:
        """Move what SB3 has recorded since the last call."""
        recorded: Iterable[tuple[str, Any]] = self.model.logger.name_to_value.items()
        for name, value in recorded:
            logs[name].append(float(value))
        self.model.logger.name_to_value.clear()
        self.model.logger.name_to_count.clear()  # of `record_mean`


def actor_critic_optimizers(policy: BasePolicy) -> dict[str, tuple[str, torch.optim.Optimizer]]:
    """`OffPolicyLearner.optimizers` of a policy with an actor and critics."""
    actor, critic = policy.get_submodule("actor"), policy.get_submodule("critic")
    return {"actor": ("actor", actor.optimizer), "critic": ("critics", critic.optimizer)}  # type: ignore[dict-item]  # SB3 sets the attribute on a module, whose attributes torch types as Tensor | Module
