"""What the family adds to a back end's batch: random actions and stacked frames, for all environments at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from harness import HarnessVecEnv

_STEPS_PER_DRAW = 1024


class _VecEnvWrapper(HarnessVecEnv):
    """A batch that is another one but for what a subclass changes."""

    def __init__(self, inner: HarnessVecEnv, observation_space: spaces.Space | None = None) -> None:
        space = observation_space or inner.observation_space
        super().__init__(inner.num_envs, space, inner.action_space, frame_channels=inner.frame_channels)
        self._inner = inner

    def reseed(self, seeds: Sequence[int]) -> None:
        super().reseed(seeds)
        self._inner.reseed(seeds)

    def enable_metrics(self) -> None:
        self._inner.enable_metrics()

    def reset(self) -> np.ndarray:
        self._reset_seeds()
        observations = self._inner.reset()
        assert isinstance(observations, np.ndarray)
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        self._inner.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        return self._inner.step_wait()

    def close(self) -> None:
        self._inner.close()


class RandomActions(_VecEnvWrapper):
    """Now and then an environment takes an action drawn uniformly instead of the agent's.

    Args:
        inner: Environments with discrete actions.
        probability: Probability of a random action, at each step in each environment.
    """

    def __init__(self, inner: HarnessVecEnv, probability: float) -> None:
        super().__init__(inner)
        assert isinstance(inner.action_space, spaces.Discrete)
        self._probability, self._n_actions = probability, int(inner.action_space.n)
        self._stream_seeds: list[int] = np.random.SeedSequence().generate_state(inner.num_envs).tolist()
        self._step = 0

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere; seeds begin the random actions anew as well."""
        if None not in self._seeds:
            self._stream_seeds, self._step = [seed for seed in self._seeds if seed is not None], 0
        return super().reset()

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step with the actions ``(N,)`` that the agent's have become."""
        step = self._step % _STEPS_PER_DRAW
        if step == 0:
            self._draw(self._step // _STEPS_PER_DRAW)
        self._step += 1
        super().step_async(np.where(self._is_replaced[step], self._random_actions[step], actions))

    def _draw(self, number: int) -> None:
        # A step's draw depends on the environment's seed and the step's number alone. Many are drawn at once because making
        # a generator costs more than its numbers.
        self._is_replaced = np.empty((_STEPS_PER_DRAW, self.num_envs), bool)
        self._random_actions = np.empty((_STEPS_PER_DRAW, self.num_envs), np.int64)
        for env, seed in enumerate(self._stream_seeds):
            rng = np.random.default_rng([seed, number])
            self._is_replaced[:, env] = rng.random(_STEPS_PER_DRAW) < self._probability
            self._random_actions[:, env] = rng.integers(self._n_actions, size=_STEPS_PER_DRAW)


class StackedFrames(_VecEnvWrapper):
    """The newest frames together, the newest last; those before an episode's first are black.

    Args:
        inner: Its observations are single frames, uint8 ``(channels, height, width)``.
        stack: Number of frames that are seen.
    """

    def __init__(self, inner: HarnessVecEnv, stack: int) -> None:
        assert inner.observation_space.shape
        channels, *size = inner.observation_space.shape
        super().__init__(inner, spaces.Box(0, 255, (stack * channels, *size), np.uint8))
        self._channels = channels
        self._stacks = np.zeros((inner.num_envs, stack * channels, *size), np.uint8)

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere."""
        self._stacks[:] = 0
        self._stacks[:, -self._channels :] = super().reset()
        return self._stacks.copy()

    def step_wait(self) -> VecEnvStepReturn:
        """Finish the step; see `HarnessVecEnv` for what is promised."""
        frames, rewards, dones, infos = super().step_wait()
        assert isinstance(frames, np.ndarray)
        self._stacks[:, : -self._channels] = self._stacks[:, self._channels :]
        self._stacks[:, -self._channels :] = frames
        for env in np.flatnonzero(dones):
            last = self._stacks[env].copy()
            last[-self._channels :] = infos[env]["terminal_observation"]
            infos[env]["terminal_observation"] = last
            self._stacks[env, : -self._channels] = 0
        return self._stacks.copy(), rewards, dones, infos
