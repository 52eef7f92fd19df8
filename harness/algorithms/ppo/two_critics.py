"""PPO with a second value head: separate streams for the extrinsic return and the bonus (Burda et al. 2018, section 2.3)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.common.utils import explained_variance, obs_as_tensor
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from torch import Tensor
from torch.nn import functional as F

from harness.algorithms.learner_view import FORCED_TRUNCATION
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.ppo.returns import advantages, without_last_step
from harness.algorithms.rollout_storage import CompactRolloutBuffer
from harness.environments.base import StepReturn
from harness.spec import Combination

EXTRINSIC, INTRINSIC = 0, 1
"""Position of each stream in the last dimension of values and returns."""


class TwoStreamSamples(NamedTuple):
    """A minibatch of B steps.

    Attributes:
        observations: What the policy sees, ``(B, *shape)``.
        actions: ``(B, action dimensions)``.
        old_values: Extrinsic and intrinsic values when collected, float32 ``(B, 2)``.
        old_log_prob: Log probabilities of the actions when collected, float32 ``(B,)``.
        advantages: Weighted sum of both streams' advantages, ``(B,)``.
        returns: Extrinsic and intrinsic returns, float32 ``(B, 2)``.
    """

    observations: Tensor
    actions: Tensor
    old_values: Tensor
    old_log_prob: Tensor
    advantages: Tensor
    returns: Tensor


class TwoStreamRolloutBuffer(CompactRolloutBuffer):
    """A rollout buffer with two rewards, values and returns per step.

    ``rewards``, ``values`` and ``returns`` have shape ``(T, N, 2)``. What follows each step is noted while stepping: the
    extrinsic stream always stops at episode ends; the intrinsic one only if the combination is episodic.

    Args:
        combine: Weights, intrinsic discount, and what the intrinsic return does at episode ends.
    """

    def __init__(self, *args: Any, combine: Combination, **kwargs: Any) -> None:
        self.combine = combine
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        """Forget the rollout."""
        super().reset()
        streams = (self.buffer_size, self.n_envs, 2)
        self.rewards, self.values, self.returns, self.next_values = (np.zeros(streams, np.float32) for _ in range(4))
        self.continues = np.ones(streams, dtype=bool)

    def add(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        episode_start: np.ndarray,
        value: Tensor,
        log_prob: Tensor,
    ) -> None:
        """Store a step; ``reward`` is the extrinsic one ``(N,)``, ``value`` has shape ``(N, 2)``."""
        self.observations[self.pos] = obs
        self.actions[self.pos] = action.reshape(self.n_envs, self.action_dim)
        self.rewards[self.pos, :, EXTRINSIC] = reward
        self.episode_starts[self.pos] = episode_start
        self.values[self.pos] = value.cpu().numpy()
        self.log_probs[self.pos] = log_prob.cpu().numpy()
        self.pos += 1
        self.full = self.pos == self.buffer_size

    def end_episodes(self, ended: np.ndarray, bootstrap: np.ndarray, forced: np.ndarray) -> None:
        """Note for the step stored last which episodes ended there.

        Args:
            ended: Indices of the environments, ``(E,)``.
            bootstrap: What stands for the next value in both streams, ``(E, 2)``: 0 after a termination, the value of the
                true last observation after a truncation.
            forced: Whether a checkpoint ended the episode, ``(E,)``; then the intrinsic return stops as well.
        """
        step = self.pos - 1
        self.continues[step, ended, EXTRINSIC] = False
        self.next_values[step, ended, EXTRINSIC] = bootstrap[:, EXTRINSIC]
        stops = np.full(len(ended), True) if self.combine.episodic else forced
        self.continues[step, ended[stops], INTRINSIC] = False
        self.next_values[step, ended[stops], INTRINSIC] = bootstrap[stops, INTRINSIC]

    def compute_returns(self, bonuses: np.ndarray, last_values: np.ndarray, gammas: np.ndarray) -> None:
        """Compute both streams' returns and the mixed advantages.

        Args:
            bonuses: Intrinsic rewards of the rollout, ``(T, N)``.
            last_values: Values of the observations that follow the rollout, ``(N, 2)``.
            gammas: Extrinsic and intrinsic discount, ``(2,)``.
        """
        self.rewards[:, :, INTRINSIC] = bonuses
        following = np.concatenate([self.values[1:], last_values[None]])
        next_values = np.where(self.continues, following, self.next_values)
        arguments = (self.rewards, self.values, next_values, self.continues, gammas.astype(np.float32), self.gae_lambda)
        if self.combine.last_step == "zero":
            streams, self.returns = without_last_step(*arguments)
        else:
            streams = advantages(*arguments)
            self.returns = streams + self.values
        weights = np.array([self.combine.extrinsic_weight, self.combine.intrinsic_weight], dtype=np.float32)
        self.advantages = streams @ weights

    def get(self, batch_size: int | None = None) -> Generator[TwoStreamSamples]:  # type: ignore[override]  # two values a step
        """Minibatches in random order, as SB3 draws them."""
        yield from super().get(batch_size)  # type: ignore[misc]  # of what _get_samples makes

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> TwoStreamSamples:  # type: ignore[override]  # two values
        arrays = (self.observations, self.actions.astype(np.float32, copy=False), self.values)
        flat = (self.log_probs.reshape(-1), self.advantages.reshape(-1))
        parts = [self.to_torch(array[batch_inds]) for array in (*arrays, *flat, self.returns)]
        return TwoStreamSamples(*parts)


class TwoCriticPPO(PPO):
    """SB3's PPO with two value heads, two discounts, and advantages weighted into one.

    The environment must be an `IntrinsicRewardVecEnv` in ``two_critics`` mode, and the policy
    `harness.algorithms.networks.MultiHeadActorCriticPolicy` with two value heads. The value loss is the sum of both streams'
    mean squared errors; ``vf_coef`` weighs it.

    Args:
        policy: The policy class.
        env: The environments, with a bonus.
        kwargs: As for SB3's PPO; ``gamma`` is the extrinsic discount.
    """

    rollout_buffer: TwoStreamRolloutBuffer  # type: ignore[assignment]  # SB3 builds what rollout_buffer_class says

    def __init__(self, policy: Any, env: IntrinsicRewardVecEnv, **kwargs: Any) -> None:
        self.bonus_env = env
        self.combine = env.combine
        kwargs["rollout_buffer_class"] = TwoStreamRolloutBuffer
        kwargs["rollout_buffer_kwargs"] = {**kwargs.get("rollout_buffer_kwargs", {}), "combine": env.combine}
        super().__init__(policy, env, **kwargs)

    def collect_rollouts(  # type: ignore[override]  # its buffer is always of the narrower class
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: TwoStreamRolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill the buffer with ``n_rollout_steps`` steps of every environment and compute both streams' returns."""
        assert self._last_obs is not None, "the environments were not reset"
        self.policy.set_training_mode(False)
        self.combine = rollout_buffer.combine = self.bonus_env.combine  # its weights are those of the present phase
        rollout_buffer.reset()
        callback.on_rollout_start()
        for _ in range(n_rollout_steps):
            with torch.no_grad():
                actions, values, log_probs = self.policy(self._observed())
            actions = actions.cpu().numpy()
            step = cast(StepReturn, env.step(self._clip_actions(actions)))
            new_obs, rewards, dones, infos = step
            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            self._update_info_buffer(infos, dones)
            last_obs, starts = cast(np.ndarray, self._last_obs), cast(np.ndarray, self._last_episode_starts)
            rollout_buffer.add(last_obs, actions, rewards, starts, values, log_probs)
            if dones.any():
                rollout_buffer.end_episodes(*self._episode_ends(dones, infos))
            self._last_obs, self._last_episode_starts = cast(np.ndarray, new_obs), dones
        with torch.no_grad():
            last_values = self.policy.predict_values(self._observed())
        gammas = np.array([self.gamma, self.combine.intrinsic_gamma])
        rollout_buffer.compute_returns(self.bonus_env.rollout_bonuses(), last_values.cpu().numpy(), gammas)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def train(self) -> None:
        """Update policy and both value heads with the collected rollout (Schulman et al. 2017, equation 9)."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        clip_range = _scheduled(self.clip_range, self._current_progress_remaining)
        logs: dict[str, list[float]] = {}
        for _ in range(self.n_epochs):
            stopped = False
            for batch in self.rollout_buffer.get(self.batch_size):
                loss, metrics = self._loss(batch, clip_range)
                for name, value in metrics.items():
                    logs.setdefault(name, []).append(value)
                if self.target_kl is not None and metrics["approx_kl"] > 1.5 * self.target_kl:
                    stopped = True
                    break
                self.policy.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
                self.policy.optimizer.step()
            self._n_updates += 1
            if stopped:
                break
        self._log(logs, clip_range)

    def _observed(self) -> Any:
        """What the environments show, on the device."""
        return obs_as_tensor(cast(np.ndarray, self._last_obs), self.device)

    def _clip_actions(self, actions: np.ndarray) -> np.ndarray:
        """Actions as the environments accept them, as SB3 does it."""
        if not isinstance(self.action_space, spaces.Box):
            return actions
        if self.policy.squash_output:
            return self.policy.unscale_action(actions)
        box = cast(spaces.Box, self.action_space)
        return np.clip(actions, box.low, box.high)

    def _episode_ends(self, dones: np.ndarray, infos: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which environments ended, what stands for their next values, and whether a checkpoint truncated them."""
        ended = np.flatnonzero(dones)
        bootstrap = np.zeros((len(ended), 2), dtype=np.float32)
        truncated = np.array([infos[i]["TimeLimit.truncated"] for i in ended], dtype=bool)
        forced = np.array([FORCED_TRUNCATION in infos[i] for i in ended], dtype=bool)
        if truncated.any():
            lasts: list[np.ndarray] = [infos[i]["terminal_observation"] for i in ended[truncated]]
            last = np.stack(lasts)
            with torch.no_grad():
                bootstrap[truncated] = self.policy.predict_values(obs_as_tensor(last, self.device)).cpu().numpy()
        return ended, bootstrap, forced

    def _loss(self, batch: TwoStreamSamples, clip_range: float) -> tuple[Tensor, dict[str, float]]:
        discrete = isinstance(self.action_space, spaces.Discrete)
        actions = batch.actions.long().flatten() if discrete else batch.actions
        values, log_prob, entropy = self.policy.evaluate_actions(batch.observations, actions)
        advantage = batch.advantages
        if self.normalize_advantage and len(advantage) > 1:
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        log_ratio = log_prob - batch.old_log_prob
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
        policy_loss = -torch.min(advantage * ratio, advantage * clipped).mean()
        if self.clip_range_vf is not None:
            value_range = _scheduled(self.clip_range_vf, self._current_progress_remaining)
            values = batch.old_values + (values - batch.old_values).clamp(-value_range, value_range)
        value_losses = F.mse_loss(values, batch.returns, reduction="none").mean(0)
        entropy_loss = log_prob.mean() if entropy is None else -entropy.mean()
        loss = policy_loss + self.ent_coef * entropy_loss + self.vf_coef * value_losses.sum()
        with torch.no_grad():
            metrics = {
                "policy_gradient_loss": policy_loss.item(),
                "value_loss": value_losses[EXTRINSIC].item(),
                "intrinsic_value_loss": value_losses[INTRINSIC].item(),
                "entropy_loss": entropy_loss.item(),
                "loss": loss.item(),
                "approx_kl": ((ratio - 1) - log_ratio).mean().item(),
                "clip_fraction": ((ratio - 1).abs() > clip_range).float().mean().item(),
            }
        return loss, metrics

    def _log(self, logs: dict[str, list[float]], clip_range: float) -> None:
        for name, values in logs.items():
            self.logger.record(f"train/{name}", values[-1] if name == "loss" else float(np.mean(values)))
        buffer = self.rollout_buffer
        for stream, name in ((EXTRINSIC, "explained_variance"), (INTRINSIC, "intrinsic_explained_variance")):
            explained = explained_variance(buffer.values[..., stream].flatten(), buffer.returns[..., stream].flatten())
            self.logger.record(f"train/{name}", float(explained))
        self.logger.record("train/n_updates", self._n_updates)
        self.logger.record("train/clip_range", clip_range)


def _scheduled(setting: float | Schedule, progress_remaining: float) -> float:
    """A setting that SB3 has made a schedule of, at this point of the run."""
    assert callable(setting)
    return setting(progress_remaining)
