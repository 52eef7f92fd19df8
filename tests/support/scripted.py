"""Environments whose every step is written down in advance, and a method whose bonus one can compute by hand."""

from __future__ import annotations

import numpy as np
import torch
from gymnasium import spaces

from harness import NO_INFO, HarnessVecEnv, IntrinsicReward, IntrinsicRewardConfig, Spaces, Transitions, episode_end_info


class ScriptedVecEnv(HarnessVecEnv):
    """Observation: ``[environment, episode, step within the episode]``; ends and rewards follow a script.

    Args:
        terminated: bool ``(T, N)``: the episode terminates at this step.
        truncated: bool ``(T, N)``.
        rewards: float ``(T, N)``; zeros by default. The script repeats after T steps.
    """

    def __init__(self, terminated: np.ndarray, truncated: np.ndarray, rewards: np.ndarray | None = None) -> None:
        n_envs = terminated.shape[1]
        super().__init__(n_envs, spaces.Box(-1, 1e6, (3,), np.float32), spaces.Discrete(3))
        self.terminated, self.truncated = terminated, truncated & ~terminated
        self.rewards = np.zeros(terminated.shape) if rewards is None else rewards
        self.time = 0
        self.episode = np.zeros(n_envs)
        self.length = np.zeros(n_envs)
        self.resets: list[list[int | None]] = []

    def observe(self) -> np.ndarray:
        return np.stack([np.arange(self.num_envs), self.episode, self.length], axis=1).astype(np.float32)

    def reset(self) -> np.ndarray:
        self.resets.append(list(self._seeds))
        self._reset_seeds()
        self.episode += 1
        self.length[:] = 0
        return self.observe()

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = actions

    def step_wait(self):
        row = self.time % len(self.terminated)
        self.time += 1
        self.length += 1
        final = self.observe()
        dones = self.terminated[row] | self.truncated[row]
        infos = [NO_INFO] * self.num_envs
        for i in np.flatnonzero(dones):
            infos[i] = episode_end_info(final[i], truncated=bool(self.truncated[row, i]))
        self.episode[dones] += 1
        self.length[dones] = 0
        return self.observe(), self.rewards[row].astype(np.float32), dones, infos

    def close(self) -> None:
        pass


class LoggingConfig(IntrinsicRewardConfig):
    """Nothing to configure."""


class LoggingReward(IntrinsicReward[LoggingConfig]):
    """Remembers every call; its bonus is ``1000 * env + 10 * episode + step`` of the next observation."""

    def __init__(self, n_envs: int, space: spaces.Box | None = None) -> None:
        space = space or spaces.Box(-1, 1e6, (3,), np.float32)
        super().__init__(LoggingConfig(), Spaces(space, spaces.Discrete(3)), n_envs, "cpu", seed=0)
        self.calls: list[tuple[str, Transitions]] = []

    def observe(self, transitions: Transitions) -> None:
        self.calls.append(("observe", transitions))

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        self.calls.append(("bonus", transitions))
        return transitions.next_obs @ torch.tensor([1000.0, 10.0, 1.0])

    def update(self, transitions: Transitions) -> dict[str, float]:
        copy = Transitions(**{name: value.clone() for name, value in vars(transitions).items()})
        self.calls.append(("update", copy))
        return {"size": float(len(transitions))}
