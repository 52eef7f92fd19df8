"""`IntrinsicRewardVecEnv`: any on-policy SB3 algorithm, any method, one wrapper."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from harness.algorithms.on_policy.method_rollout import MethodRollout, shared_stacks
from harness.algorithms.reward_wrapper import BonusVecEnv
from harness.environments.base import StepReturn
from harness.rewards import IntrinsicReward
from harness.spec import Combination


class IntrinsicRewardVecEnv(BonusVecEnv):
    """Scores every transition with a bonus, and trains the method after every rollout.

    With ``combine.mode == "sum"`` the reward that leaves the wrapper is ``w_ext * r + w_int * bonus``, bounded by
    ``clip_total``, with ``w_int`` decayed as the combination says, and the bonus normalised by what the method's normaliser
    has seen so far. With ``"two_critics"`` the extrinsic reward leaves unchanged, and the learner takes the bonuses of the
    rollout from `rollout_bonuses`.

    Args:
        venv: The environments, monitored; infos follow `harness.environments.base.HarnessVecEnv`.
        reward: The method that gives the bonus.
        n_steps: T, steps between two calls of `IntrinsicReward.update`.
        combine: How the bonus is combined with the extrinsic reward.

    Attributes:
        stacks: The images of the rollout, for a rollout buffer to share; ``None`` where they are kept otherwise.
    """

    def __init__(self, venv: VecEnv, reward: IntrinsicReward, n_steps: int, combine: Combination) -> None:
        super().__init__(venv, reward, combine)
        self.n_steps = n_steps
        self.stacks = shared_stacks(reward, n_steps)
        self._rollout = MethodRollout(n_steps, self.stacks)
        self._shown = np.empty(0)
        self._bonuses = np.zeros((n_steps, venv.num_envs), dtype=np.float32)
        self._update_metrics: dict[str, float] = {}

    @property
    def rollout(self) -> MethodRollout:
        """The transitions of the present rollout, or of the last one until the next step."""
        return self._rollout

    @property
    def bonuses(self) -> np.ndarray:
        """Bonuses of the present rollout, float32 ``(T, N)``: as added in ``sum``, raw in ``two_critics``."""
        return self._bonuses

    def rollout_bonuses(self) -> np.ndarray:
        """The finished rollout's bonuses, float32 ``(T, N)``, normalised by statistics that include this rollout.

        To be called once per rollout, in ``two_critics`` mode.
        """
        normaliser = self.reward.normaliser
        if normaliser is None:
            return self._bonuses
        bonuses = torch.from_numpy(self._bonuses).to(self.reward.device)
        return (normaliser.normalise_rollout(bonuses) if self.train_reward else normaliser.scale(bonuses)).cpu().numpy()

    def pop_metrics(self) -> dict[str, float]:
        """Statistics of the finished rollout's bonuses, and what the method had to say of its update."""
        metrics = {
            "bonus_mean": float(self._bonuses.mean()),
            "bonus_std": float(self._bonuses.std()),
            "bonus_min": float(self._bonuses.min()),
            "bonus_max": float(self._bonuses.max()),
        }
        if self.reward.normaliser is not None:
            metrics |= self.reward.normaliser.metrics()
        metrics |= self._weight_metrics | self._update_metrics
        self._update_metrics = {}
        return metrics

    def resume_from(self, observations: np.ndarray, *, steps: int | None = None) -> None:
        """Continue at the start of a rollout whose first observations these are; see `BonusVecEnv.resume_from`."""
        self._rollout.clear()
        self._shown = observations
        super().resume_from(observations, steps=steps)

    def step_wait(self) -> StepReturn:
        """Finish a step; the reward that is returned depends on the mode, see the class."""
        step = cast(StepReturn, self.venv.step_wait())
        observations, rewards, dones, infos = step
        transitions = self._to_transitions(observations, rewards, dones, infos)
        self.reward.track(transitions)
        if self.train_reward:
            self.reward.observe(transitions)
        bonus = self.check.bonus(self.reward.bonus(transitions), self.num_envs)
        summed = self.combine.mode == "sum"
        if summed and self.reward.normaliser is not None:
            normaliser = self.reward.normaliser
            start = self.combine.normaliser_start
            bonus = normaliser.normalise_step(bonus, start=start) if self.train_reward else normaliser.scale(bonus)
        added = self._bonuses[self._rollout.position] = bonus.cpu().numpy()
        self.check.finite(added)
        if summed:
            combined = self.combine.extrinsic_weight * rewards + self.intrinsic_weight * added
            if (bound := self.combine.clip_total) is not None:
                combined = combined.clip(-bound, bound)
            rewards = combined.astype(np.float32)
        self.steps += self.num_envs
        shown, self._shown = self._shown, cast(np.ndarray, observations)
        self._rollout.add(transitions, shown, self._shown, infos)
        if self._rollout.full:
            rollout = self._rollout.transitions()
            learned = self.check.metrics(self.reward.update(rollout), "update") if self.train_reward else {}
            self._update_metrics = learned | self.check.metrics(self.reward.diagnose(rollout), "diagnose")
            self._rollout.clear()
        return observations, rewards, dones, infos
