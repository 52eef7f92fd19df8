"""Bonuses that stay fresh off-policy: a replay buffer that scores its batches when they are sampled.

The environments' reward is stored as it is. `RelabellingVecEnv` shows every step to the method as it is taken;
`RelabelledReplayBuffer` hands it every sampled batch, at which it learns and scores. The two go with any off-policy algorithm
of Stable-Baselines3, unmodified::

    env = RelabellingVecEnv(venv, reward, Combination(mode="sum", intrinsic_weight=0.1))
    model = SAC("MlpPolicy", env, replay_buffer_class=RelabelledReplayBuffer, replay_buffer_kwargs={"bonus_env": env})
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from torch import Tensor, nn

from harness.algorithms.off_policy.detached import DetachedEnv
from harness.algorithms.replay_frames import CompactReplayBuffer
from harness.algorithms.reward_wrapper import BonusVecEnv, action_tensor
from harness.environments.base import StepReturn
from harness.rewards import IntrinsicReward, Transitions
from harness.spec import Combination


class RelabellingVecEnv(BonusVecEnv):
    """Passes rewards on unchanged, for the replay buffer to store; scores batches for `RelabelledReplayBuffer`.

    If the method has a `normaliser`, this learns from the bonuses of the N fresh transitions at every step, each of which
    belongs to one place in one environment's discounted sum; sampled batches are divided by its deviation so far.

    Args:
        venv: The environments, monitored; infos follow `harness.environments.base.HarnessVecEnv`.
        reward: The method that gives the bonus.
        combine: Weights of both rewards; its mode must be ``sum``.
    """

    def __init__(self, venv: VecEnv, reward: IntrinsicReward, combine: Combination) -> None:
        if combine.mode != "sum":
            raise ValueError(f"a relabelled reward is a sum; mode {combine.mode!r} needs an on-policy algorithm")
        super().__init__(venv, reward, combine)
        self._bonuses = _BonusStatistics()
        self._update_metrics: dict[str, list[float]] = {}
        self._last_batch: Transitions | None = None

    def __reduce__(self) -> tuple[type[DetachedEnv], tuple[()]]:
        """Stable-Baselines3 saves the arguments of a replay buffer with a model; environments are not a part of it."""
        return DetachedEnv, ()

    def step_wait(self) -> StepReturn:
        """Finish a step; rewards are the environments' own, as the learner sees them."""
        step = cast(StepReturn, self.venv.step_wait())
        observations, rewards, dones, infos = step
        transitions = self._to_transitions(observations, rewards, dones, infos)
        if self.train_reward:
            self.reward.observe(transitions)
            if self.reward.normaliser is not None:
                bonus = self.check.bonus(self.reward.bonus(transitions), self.num_envs)
                self.check.finite(bonus.cpu().numpy())
                self.reward.normaliser.normalise_step(bonus, start=self.combine.normaliser_start)
        self.steps += self.num_envs
        return observations, rewards, dones, infos

    def relabel(self, batch: Transitions) -> Tensor:
        """Let the method learn from a sampled batch and score it.

        Returns:
            ``w_ext * reward + w_int * bonus`` of each transition, bounded by ``clip_total``, float32 ``(B,)``; ``w_int`` is
            decayed by the steps taken so far, and not by those taken before the transition.
        """
        if self.train_reward:
            for name, value in self.check.metrics(self.reward.update(batch), "update").items():
                self._update_metrics.setdefault(name, []).append(value)
        self._last_batch = batch
        self.reward.observe_batch(batch)
        bonus = self.check.bonus(self.reward.bonus(batch), len(batch))
        self.check.finite_batch(bonus, batch.env_index)
        if self.reward.normaliser is not None:
            bonus = self.reward.normaliser.scale(bonus)
        self._bonuses.add(bonus)
        combined = self.combine.extrinsic_weight * batch.reward + self.intrinsic_weight * bonus
        bound = self.combine.clip_total
        return combined if bound is None else combined.clamp(-bound, bound)

    def pop_metrics(self) -> dict[str, float]:
        """Statistics of all bonuses in sampled batches since the last call, the means of what updates returned, and diagnoses.

        There are none of these before the first gradient step.
        """
        metrics = self._bonuses.summary()
        if self.reward.normaliser is not None:
            metrics |= self.reward.normaliser.metrics()
        metrics |= self._weight_metrics | {name: float(np.mean(values)) for name, values in self._update_metrics.items()}
        if self._last_batch is not None:
            metrics |= self.check.metrics(self.reward.diagnose(self._last_batch), "diagnose")
        self._bonuses, self._update_metrics, self._last_batch = _BonusStatistics(), {}, None
        return metrics


class RelabelledReplayBuffer(CompactReplayBuffer):
    """SB3's replay buffer whose batches carry the bonus of the moment at which they are sampled.

    The bonus of an episode's last transition is that of its true last observation, which SB3 stores. Indices are drawn as
    SB3 draws them, so that a run whose bonus weighs nothing has the same batches as one without a bonus.

    Args:
        args: As for `CompactReplayBuffer`.
        bonus_env: The environments that the algorithm steps.
        representation: The method's `IntrinsicReward.representation`: batches then hold its features of what the method saw,
            ``(B, features_dim)``, instead of observations, so that they are computed once for all networks.
        kwargs: As for `CompactReplayBuffer`.
    """

    def __init__(
        self, *args: Any, bonus_env: RelabellingVecEnv, representation: nn.Module | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.bonus_env, self.representation = bonus_env, representation

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> ReplayBufferSamples:
        env_index = np.random.randint(0, high=self.n_envs, size=(len(batch_inds),))
        rows = batch_inds, env_index
        obs = self.observations[rows]
        if self.optimize_memory_usage:
            next_obs = self.observations[(batch_inds + 1) % self.buffer_size, env_index]
        else:
            next_obs = self.next_observations[rows]
        method_obs, next_method_obs = self._method_obs(obs), self._method_obs(next_obs)
        truncated = self.timeouts[rows] > 0
        terminated = (self.dones[rows] > 0) & ~truncated
        rewards = self._normalize_reward(self.rewards[rows], env)
        batch = Transitions(
            obs=method_obs,
            action=self._env_actions(self.actions[rows]),
            next_obs=next_method_obs,
            reward=self._tensor(rewards),
            terminated=self._tensor(terminated),
            truncated=self._tensor(truncated),
            env_index=self._tensor(env_index),
        )
        combined = self.bonus_env.relabel(batch)
        return ReplayBufferSamples(
            self._learner_obs(obs, method_obs, env),
            self._tensor(self.actions[rows]),
            self._learner_obs(next_obs, next_method_obs, env),
            self._tensor(terminated.astype(np.float32)).unsqueeze(1),
            combined.unsqueeze(1),
        )

    def _method_obs(self, observations: np.ndarray) -> Tensor:
        """What the method sees of one end of the batch."""
        return self.bonus_env.reward.augment(self._tensor(self.bonus_env.reward.view(observations)))

    def _learner_obs(self, observations: np.ndarray, method_obs: Tensor, env: VecNormalize | None) -> Tensor:
        """What the learner sees of it."""
        if self.representation is not None:
            with torch.no_grad():
                return self.representation(method_obs)
        normalised = self._normalize_obs(observations, env)
        assert isinstance(normalised, np.ndarray)
        return self._tensor(normalised)

    def _env_actions(self, stored: np.ndarray) -> Tensor:
        """Stored actions as the environments took them: SB3 stores boxes scaled to [-1, 1]."""
        space = cast(spaces.Space[Any], self.action_space)
        if not isinstance(space, spaces.Box):
            shape = space.shape or ()
            return action_tensor(stored.reshape(-1, *shape), space).to(self.device)
        box = cast(spaces.Box, space)
        env_actions = box.low + 0.5 * (stored.reshape(-1, *box.shape) + 1) * (box.high - box.low)
        return action_tensor(env_actions, box).to(self.device)

    def _tensor(self, array: np.ndarray) -> Tensor:
        """A tensor on the device; indexing has made a copy already, so that none is needed here."""
        return torch.as_tensor(array, device=self.device)


class _BonusStatistics:
    """Moments and extremes of what is added, kept on its device until they are asked for."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: Tensor | None = None
        self._extremes: Tensor | None = None

    def add(self, values: Tensor) -> None:
        exact = values.double()
        sums, extremes = torch.stack([exact.sum(), exact.square().sum()]), torch.stack([-values.min(), values.max()])
        self._sums = sums if self._sums is None else self._sums + sums
        self._extremes = extremes if self._extremes is None else torch.maximum(self._extremes, extremes)
        self._count += len(values)

    def summary(self) -> dict[str, float]:
        if self._sums is None or self._extremes is None:
            return {}
        moments = cast(list[float], (self._sums / self._count).tolist())
        extremes = cast(list[float], self._extremes.tolist())
        (mean, square), (negative_min, largest) = moments, extremes
        deviation = max(square - mean**2, 0.0) ** 0.5
        return {"bonus_mean": mean, "bonus_std": deviation, "bonus_min": -negative_min, "bonus_max": largest}
