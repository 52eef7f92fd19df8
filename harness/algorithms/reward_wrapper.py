"""What every wrapper around the environments of a method shares: the method sees each transition as it is taken."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Any, cast

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecMonitor, is_vecenv_wrapped
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs

from harness.algorithms.method_output import MethodCheck
from harness.environments.base import StepReturn
from harness.rewards import IntrinsicReward, Transitions
from harness.spec import Combination


class BonusVecEnv(VecEnvWrapper):
    """Environments with a method; a subclass says when bonuses are computed and when the method learns.

    It must stand outside the episode monitor, so that logged returns stay the environment's own.

    Args:
        venv: The environments; infos follow `harness.environments.base.HarnessVecEnv`.
        reward: The method that gives the bonus.
        combine: How the bonus is combined with the extrinsic reward.

    Attributes:
        check: Refuses bonuses and metrics that the method may not give; a run puts the method's name there.
        steps: Steps that the run has taken, over all environments, on which the weight of the bonus may depend.
    """

    def __init__(self, venv: VecEnv, reward: IntrinsicReward, combine: Combination) -> None:
        super().__init__(venv)
        self.reward, self.combine, self.train_reward = reward, combine, True
        self.check = MethodCheck(type(reward).__name__, reward.device)
        self.steps = 0
        self._actions = np.empty(0)
        self._last_obs = np.empty(0)
        self._env_index = torch.arange(venv.num_envs, device=reward.device)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """What the environments say; a `VecMonitor` inside counts as a `Monitor`, so that SB3 warns of a second one."""
        wrapped = super().env_is_wrapped(wrapper_class, indices)
        monitored = wrapper_class is Monitor and is_vecenv_wrapped(self.venv, VecMonitor)
        return [monitored or one for one in wrapped]

    @abstractmethod
    def pop_metrics(self) -> dict[str, float]:
        """Statistics of the bonuses since the last call, and what `IntrinsicReward.update` returned in that time."""

    def set_phase(self, extrinsic_weight: float, intrinsic_weight: float, train_reward: bool) -> None:
        """Begin a phase, between two iterations.

        Args:
            extrinsic_weight: Factor on the extrinsic reward from now on.
            intrinsic_weight: Factor on the bonus from now on.
            train_reward: Whether the method goes on learning. If not, neither `IntrinsicReward.observe` nor
                `IntrinsicReward.update` is called and the normaliser learns nothing: only bonuses are asked for, on-policy
                with `IntrinsicReward.track` before them, since what that keeps belongs to the episodes, and off-policy with
                `IntrinsicReward.observe_batch`, since what that keeps belongs to the batches.
        """
        weights = {"extrinsic_weight": extrinsic_weight, "intrinsic_weight": intrinsic_weight}
        self.combine = self.combine.model_copy(update=weights)
        self.train_reward = train_reward

    def resume_from(self, observations: np.ndarray, *, steps: int | None = None) -> None:
        """Continue between two iterations.

        Args:
            observations: What the environments show, ``(N, *shape)``.
            steps: Steps that the run has taken, over all environments; ``None`` for as many as are known.
        """
        self._last_obs = self.reward.view(observations)
        self.steps = self.steps if steps is None else steps

    def warm_up(self, seed: int) -> None:
        """Let the method see `IntrinsicReward.warm_up_steps` steps of uniformly random actions; reset afterwards.

        Args:
            seed: Seed of the random actions.
        """
        if not self.reward.warm_up_steps:
            return
        # the learner draws its own random actions from the shared space
        space = copy.deepcopy(cast(spaces.Space[Any], self.action_space))
        space.seed(seed)
        self.reset()
        for _ in range(self.reward.warm_up_steps):
            self.step_async(np.stack([space.sample() for _ in range(self.num_envs)]))
            step = cast(StepReturn, self.venv.step_wait())
            self.reward.observe(self._to_transitions(*step))

    def reset(self) -> VecEnvObs:
        """Begin new episodes everywhere."""
        observations = self.venv.reset()
        self.reward.begin_episodes()
        self.resume_from(_require_array(observations))
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step."""
        self._actions = actions
        self.venv.step_async(actions)

    @abstractmethod
    def step_wait(self) -> StepReturn:
        """Finish a step."""

    @property
    def intrinsic_weight(self) -> float:
        """The present weight of the bonus: the phase's or the combination's, decayed by the steps that the run has taken."""
        return self.combine.intrinsic_weight * (1 - self.combine.decay) ** self.steps

    @property
    def _weight_metrics(self) -> dict[str, float]:
        """The weight of the bonus, for the log, where it changes by itself."""
        return {"intrinsic_weight": self.intrinsic_weight} if self.combine.decay else {}

    def _to_transitions(
        self, observations: VecEnvObs, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]
    ) -> Transitions:
        """The N transitions that lead to these observations, with the true last observation where an episode ended."""
        obs = self.reward.view(_require_array(observations))
        next_obs, truncated = obs, np.zeros_like(dones)
        if dones.any():
            next_obs = obs.copy()
            for i in np.flatnonzero(dones):
                next_obs[i] = self.reward.view(infos[i]["terminal_observation"][None])[0]
                truncated[i] = infos[i]["TimeLimit.truncated"]
        device = self.reward.device
        transitions = Transitions(
            obs=torch.as_tensor(self._last_obs, device=device),
            action=action_tensor(self._actions, cast(spaces.Space[Any], self.action_space)).to(device),
            next_obs=torch.as_tensor(next_obs, device=device),
            reward=torch.as_tensor(rewards, dtype=torch.float32, device=device),
            terminated=torch.as_tensor(dones & ~truncated, device=device),
            truncated=torch.as_tensor(truncated, device=device),
            env_index=self._env_index,
        )
        self._last_obs = obs
        return transitions


def action_tensor(actions: np.ndarray, space: spaces.Space[Any]) -> torch.Tensor:
    """Actions as `Transitions` has them: float32 for boxes, int64 otherwise."""
    dtype = torch.float32 if isinstance(space, spaces.Box) else torch.int64
    return torch.as_tensor(actions).to(dtype)


def _require_array(observations: VecEnvObs) -> np.ndarray:
    if not isinstance(observations, np.ndarray):
        raise TypeError("intrinsic rewards need observations that are one array; flatten dictionaries first")
    return observations
