"""`IntrinsicRewardVecEnv`: any SB3 algorithm, any method, one wrapper."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from harness.rewards import IntrinsicReward, Transitions
from harness.spec import Combination


class IntrinsicRewardVecEnv(VecEnvWrapper):
    """Scores every transition with a bonus, and trains the method after every rollout.

    With ``combine.mode == "sum"`` the reward that leaves the wrapper is ``w_ext * r + w_int * bonus``, the bonus divided by
    the running deviation of its discounted return so far if the method asks for that. With ``"two_critics"`` the extrinsic
    reward leaves unchanged, and the learner takes the bonuses of the rollout from `rollout_bonuses`.

    It must stand outside the episode monitor, so that logged returns stay the environment's own.

    Args:
        venv: The environments; infos follow `harness.environments.HarnessVecEnv`.
        reward: The method.
        n_steps: T, steps between two calls of `IntrinsicReward.update`.
        combine: How the bonus is combined with the extrinsic reward.
    """

    def __init__(self, venv: VecEnv, reward: IntrinsicReward, n_steps: int, combine: Combination) -> None:
        super().__init__(venv)
        self.reward, self.n_steps, self.combine = reward, n_steps, combine
        self._rollout = _Rollout(n_steps)
        self._bonuses = np.zeros((n_steps, venv.num_envs), dtype=np.float32)
        self._actions = np.empty(0)
        self._last_view = np.empty(0)
        self._env_index = torch.arange(venv.num_envs, device=reward.device)
        self._update_metrics: dict[str, float] = {}

    @property
    def bonuses(self) -> np.ndarray:
        """Bonuses of the present rollout, float32 ``(T, N)``: as added in ``sum``, raw in ``two_critics``."""
        return self._bonuses

    def rollout_bonuses(self) -> np.ndarray:
        """The finished rollout's bonuses, float32 ``(T, N)``, normalised by statistics that include this rollout.

        To be called once per rollout, in ``two_critics`` mode.
        """
        if self.reward.normaliser is None:
            return self._bonuses
        return self.reward.normaliser.normalise_rollout(torch.from_numpy(self._bonuses).to(self.reward.device)).cpu().numpy()

    def pop_metrics(self) -> dict[str, float]:
        """Statistics of the finished rollout's bonuses, and what the method had to say of its update."""
        metrics = {
            "bonus_mean": float(self._bonuses.mean()),
            "bonus_std": float(self._bonuses.std()),
            "bonus_min": float(self._bonuses.min()),
            "bonus_max": float(self._bonuses.max()),
        }
        if self.reward.normaliser is not None:
            metrics["return_std"] = float(self.reward.normaliser.moments.std)
        metrics |= self._update_metrics
        self._update_metrics = {}
        return metrics

    def resume_from(self, observations: np.ndarray) -> None:
        """Continue at the start of a rollout whose first observations these are."""
        self._rollout.clear()
        self._last_view = self.reward.view(observations)

    def warm_up(self, seed: int) -> None:
        """Let the method see `IntrinsicReward.warm_up_steps` steps of uniformly random actions; reset afterwards.

        Args:
            seed: Of the random actions.
        """
        if not self.reward.warm_up_steps:
            return
        self.action_space.seed(seed)
        self.reset()
        for _ in range(self.reward.warm_up_steps):
            self.step_async(np.stack([self.action_space.sample() for _ in range(self.num_envs)]))
            self.reward.observe(self._see(*self.venv.step_wait()))

    def reset(self) -> VecEnvObs:
        """Begin new episodes and a new rollout."""
        observations = self.venv.reset()
        self.resume_from(_single(observations))
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step."""
        self._actions = actions
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Finish a step; the reward that is returned depends on the mode, see the class."""
        observations, rewards, dones, infos = self.venv.step_wait()
        transitions = self._see(observations, rewards, dones, infos)
        self.reward.observe(transitions)
        bonus = self.reward.bonus(transitions)
        summed = self.combine.mode == "sum"
        if summed and self.reward.normaliser is not None:
            bonus = self.reward.normaliser.normalise_step(bonus)
        added = self._bonuses[self._rollout.position] = bonus.cpu().numpy()
        if summed:
            combined = self.combine.extrinsic_weight * rewards + self.combine.intrinsic_weight * added
            rewards = combined.astype(np.float32)
        self._rollout.add(transitions)
        if self._rollout.full:
            rollout = self._rollout.transitions()
            self._update_metrics = self.reward.update(rollout) | self.reward.diagnose(rollout)
            self._rollout.clear()
        return observations, rewards, dones, infos

    def _see(
        self, observations: VecEnvObs, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]
    ) -> Transitions:
        """The N transitions that lead to these observations, with the true last observation where an episode ended."""
        view = self.reward.view(_single(observations))
        next_view, truncated = view, np.zeros_like(dones)
        if dones.any():
            next_view = view.copy()
            for i in np.flatnonzero(dones):
                next_view[i] = self.reward.view(infos[i]["terminal_observation"][None])[0]
                truncated[i] = infos[i]["TimeLimit.truncated"]
        device = self.reward.device
        transitions = Transitions(
            obs=torch.as_tensor(self._last_view, device=device),
            action=_action_tensor(self._actions, self.action_space).to(device),
            next_obs=torch.as_tensor(next_view, device=device),
            reward=torch.as_tensor(rewards, dtype=torch.float32, device=device),
            terminated=torch.as_tensor(dones & ~truncated, device=device),
            truncated=torch.as_tensor(truncated, device=device),
            env_index=self._env_index,
        )
        self._last_view = view
        return transitions


class _Rollout:
    """The transitions of a rollout, allocated when the first step shows what they look like."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps, self.position = n_steps, 0
        self._fields: dict[str, torch.Tensor] = {}

    @property
    def full(self) -> bool:
        return self.position == self.n_steps

    def clear(self) -> None:
        self.position = 0

    def add(self, transitions: Transitions) -> None:
        step = vars(transitions)
        if not self._fields:
            self._fields = {name: value.new_empty((self.n_steps, *value.shape)) for name, value in step.items()}
        for name, value in step.items():
            self._fields[name][self.position] = value
        self.position += 1

    def transitions(self) -> Transitions:
        """All of them in time order, ``T * N`` rows; views, valid until the next `add`."""
        return Transitions(**{name: value.flatten(0, 1) for name, value in self._fields.items()})


def _single(observations: VecEnvObs) -> np.ndarray:
    if not isinstance(observations, np.ndarray):
        raise TypeError("intrinsic rewards need observations that are one array; flatten dictionaries first")
    return observations


def _action_tensor(actions: np.ndarray, space: spaces.Space) -> torch.Tensor:
    dtype = torch.float32 if isinstance(space, spaces.Box) else torch.int64
    return torch.as_tensor(actions).to(dtype)
