"""Bonuses in Stable-Baselines3's log."""

from __future__ import annotations

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecMonitor

from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.reward_wrapper import BonusVecEnv
from harness.errors import UserError


class BonusLogger(BaseCallback):
    """Records statistics of the bonuses and what the method says of its learning as ``intrinsic/...`` beside SB3's own.

    Before training it also checks what only the algorithm knows: that rollouts are as long as the environments were told, and
    that no monitor outside takes the sum of both rewards for the return.

    Args:
        every: Least number of steps, over all environments, between two records.
    """

    def __init__(self, every: int = 1_000) -> None:
        super().__init__()
        self.every = every
        self._next = 0

    def _on_training_start(self) -> None:
        env = self._bonus_env()
        self._next = self.num_timesteps + self.every
        if not (isinstance(env, IntrinsicRewardVecEnv) and isinstance(self.model, OnPolicyAlgorithm)):
            return
        if env.n_steps != self.model.n_steps:
            raise UserError(
                f"the algorithm has n_steps={self.model.n_steps}, and harness.add_bonus was given n_steps={env.n_steps}: give "
                "both the same, so that the method learns after each rollout"
            )

    def _on_rollout_end(self) -> None:
        if self.num_timesteps >= self._next:
            self._next = self.num_timesteps + self.every
            for name, value in self._bonus_env().pop_metrics().items():
                self.logger.record(f"intrinsic/{name}", value)

    def _on_step(self) -> bool:
        return True

    def _bonus_env(self) -> BonusVecEnv:
        env: VecEnv = self.training_env
        while isinstance(env, VecEnvWrapper):
            if isinstance(env, BonusVecEnv):
                return env
            if isinstance(env, VecMonitor):
                raise UserError(
                    "VecMonitor stands outside of the bonus and would log the sum of both rewards as the return: "
                    "put it around the environments first, then the bonus around it"
                )
            env = env.venv
        raise UserError("the environments have no bonus: wrap them with harness.add_bonus or harness.relabel")
