"""Steps a task with the package minigrid: slowly, and as its authors have it."""

from __future__ import annotations

from functools import partial

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from harness.environments.base import HarnessVecEnv
from harness.environments.envpool import ObservationConverter
from harness.environments.episode_metrics import FirstRewardMetrics
from harness.environments.places import PlaceMap
from harness.environments.vector.batch import GymnasiumVecEnv
from harness_minigrid.config import MiniGridConfig
from harness_minigrid.positions import MAP, cells
from harness_minigrid.tasks import n_actions
from harness_minigrid.worlds import PACKED, make_world, positions, unpack


class MiniGridVecEnv(HarnessVecEnv):
    """N environments of the package minigrid; see `HarnessVecEnv` for what is promised.

    The processes that step them know neither torch nor views: they write what MiniGrid shows as bytes, and the whole batch is
    turned into what the agent sees here, by the same code as EnvPool's.

    Args:
        config: Names the task.
        n_envs: Number of environments, N.
        observations: What becomes of MiniGrid's observations.
        processes: Number of processes that step them; with one, it is this process.
    """

    def __init__(self, config: MiniGridConfig, n_envs: int, observations: ObservationConverter, processes: int) -> None:
        actions = spaces.Discrete(n_actions(config.task))
        super().__init__(n_envs, observations.space, actions, frame_channels=observations.frame_channels)
        self._worlds = GymnasiumVecEnv([partial(make_world, config)] * n_envs, PACKED, actions, processes=processes)
        self._observations = observations
        self._metrics: FirstRewardMetrics | None = None
        self._follows_places, self._places = False, np.empty(0)
        self.reseed((np.random.SeedSequence().generate_state(n_envs) >> 1).tolist())

    def enable_metrics(self) -> None:
        """Put success and the time of the first reward into the info of every episode's end."""
        self._metrics = FirstRewardMetrics(self.num_envs)

    def follow_places(self) -> PlaceMap:
        """Look after each step where agents are."""
        self._follows_places = True
        return MAP

    def places(self) -> np.ndarray:
        """The cell to which the last step has led each agent."""
        return self._places

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere."""
        if None not in self._seeds:
            self._worlds.reseed([int(seed) for seed in self._seeds if seed is not None])
            self._reset_seeds()
        rows = self._worlds.reset()
        if self._metrics:
            self._metrics.begin(np.arange(self.num_envs), rows, {})
        return self._observations(unpack(rows))

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step.

        Raises:
            ValueError: An action is out of range.
        """
        self._worlds.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Finish the step; see `HarnessVecEnv` for what is promised."""
        rows, rewards, dones, infos = self._worlds.step_wait()
        assert isinstance(rows, np.ndarray)
        if self._metrics:
            self._metrics.step(rows, rewards, {})
        ended = np.flatnonzero(dones)
        if self._follows_places:
            self._places = cells(positions(rows))
        if len(ended):
            packed = np.stack([infos[env]["terminal_observation"] for env in ended])
            if self._follows_places:
                self._places[ended] = cells(positions(packed))
            last = self._observations(unpack(packed))
            for env, observation in zip(ended.tolist(), last, strict=True):
                infos[env]["terminal_observation"] = observation.copy()
                if self._metrics:
                    infos[env]["metrics"] = self._metrics.metrics(env)
            if self._metrics:
                self._metrics.begin(ended, rows[ended], {})
        return self._observations(unpack(rows)), rewards, dones, infos

    def close(self) -> None:
        """Close the environments and end their processes; harmless when repeated."""
        self._worlds.close()
