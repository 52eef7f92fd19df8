"""Atari games behind `HarnessVecEnv`: ALE's C++ vector environment; training does nothing per environment in Python.

Facts of ale-py 0.12 that this adapter is built around (each is held by a test):

* Every batch of observations is freshly allocated, so nothing needs copying for the caller to keep it.
* ALE stops a step at the frame that ends the episode, before it looks at the screen. When ALE itself cuts an episode,
  the last observation is therefore stale; so the cut is made here, after a whole step, and the game is reset by mask.
* A worker thread that is given an action out of range never answers; so actions are checked first.
* A seeded reset loads the ROM anew (about 0.1 s per game and thread) and forgets everything; an unseeded one is quick.
* Games that were never seeded take their sticky actions from the clock, and so all take the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ale_py.vector_env import AtariVectorEnv
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from harness import NO_INFO, HarnessVecEnv, episode_end_info
from harness.environments.base import validate_discrete_actions
from harness.environments.places import PlaceMap
from harness_atari.bicubic import BicubicStacks, screen_size
from harness_atari.config import AtariConfig
from harness_atari.exploration import ExplorationMetrics
from harness_atari.rooms import PYRAMID, FollowedRooms, has_rooms


def make(config: AtariConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """N copies of one game.

    Args:
        config: The game and its preprocessing.
        n_envs: N, the number of games that step together.
        threads: C++ threads that step them; the numbers do not depend on it.
    """
    return AtariVecEnv(config, n_envs, threads=threads)


class AtariVecEnv(HarnessVecEnv):
    """N copies of one game: observations uint8 ``(N, stack * channels, size, size)``, rewards as the game gives them.

    An episode ends when the game is over (``terminated``) or after ``episode_steps`` steps (``TimeLimit.truncated``); a
    game that is over at that very step is terminated.

    Args:
        config: The game and its preprocessing.
        n_envs: N, the number of games that step together.
        threads: C++ threads that step them.
    """

    def __init__(self, config: AtariConfig, n_envs: int, *, threads: int = 1) -> None:
        self._config = config
        self._exploration: ExplorationMetrics | None = None
        self._rooms: FollowedRooms | None = None
        self._ale = _open_games(config, n_envs, threads)
        self._n_actions = len(self._ale.ale.get_action_set())
        self._elapsed = np.zeros(n_envs, dtype=np.int64)
        frame_channels = 1 if config.grayscale else 3
        self._shape = (config.stack * frame_channels, config.size, config.size)
        observation_space = spaces.Box(0, 255, self._shape, np.uint8)
        super().__init__(n_envs, observation_space, spaces.Discrete(self._n_actions), frame_channels=frame_channels)
        self.reseed((np.random.SeedSequence().generate_state(n_envs) >> 1).tolist())  # never by the clock

    def enable_metrics(self) -> None:
        """Put ``cells`` into the metrics of every episode, and what `harness_atari.exploration.RAM_METRICS` has for the game.

        Raises:
            RuntimeError: The games have begun, and their random streams can no longer be followed.
        """
        if None in self._seeds:
            raise RuntimeError("enable_metrics() comes before the first reset()")
        self._exploration = ExplorationMetrics(self._config, self.num_envs)

    def follow_places(self) -> PlaceMap | None:
        """Tell the rooms of Montezuma's Revenge, of the first few games; nothing of other games.

        Raises:
            RuntimeError: The games have begun, and their random streams can no longer be followed.
        """
        if not has_rooms(self._config):
            return None
        if None in self._seeds:
            raise RuntimeError("follow_places() comes before the first reset()")
        self._rooms = FollowedRooms(self._config, self.num_envs)
        return PYRAMID

    def places(self) -> np.ndarray:
        """The cell of the pyramid that each game was led to, see `harness_atari.rooms`."""
        assert self._rooms
        return self._rooms.places

    def reset(self) -> np.ndarray:
        """Begin a new game everywhere; slow only after `reseed`, which has every ROM loaded anew."""
        seeds = None if None in self._seeds else np.asarray(self._seeds)
        self._reset_seeds()
        self._elapsed[:] = 0
        observations, info = self._ale.reset(seed=seeds)
        observations = self._channel_first(observations)
        if self._exploration:
            if seeds is not None:
                self._exploration.seed(seeds.tolist())
            self._exploration.begin(range(self.num_envs), self._newest_frames(observations), info["frame_number"])
        if self._rooms:
            if seeds is not None:
                self._rooms.seed(seeds.tolist())
            self._rooms.begin(range(self.num_envs), info["frame_number"])
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step in ALE's threads.

        Args:
            actions: Integers ``(N,)``, each below the number of actions.

        Raises:
            ValueError: An action is out of range.
        """
        actions = validate_discrete_actions(actions, self._n_actions)
        self._ale.send(actions)
        if self._exploration:
            self._exploration.act(actions)
        if self._rooms:
            self._rooms.act(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Finish the step; see `HarnessVecEnv` for what is promised."""
        observations, rewards, terminated, _, info = self._ale.recv()
        self._elapsed += 1
        dones = terminated | (self._elapsed >= self._config.episode_steps)
        infos = [NO_INFO] * self.num_envs
        for index in np.flatnonzero(dones):
            last = (info["final_obs"] if terminated[index] else observations)[index]
            infos[index] = episode_end_info(self._channel_first(last).copy(), truncated=not terminated[index])
        if self._exploration:
            self._record_metrics(self._channel_first(observations), rewards, terminated, infos)
        if self._rooms:
            self._rooms.step(rewards, terminated)
        self._elapsed[dones] = 0
        cut = dones & ~terminated
        if cut.any():
            observations, info = self._ale.reset(options={"reset_mask": cut})
        observations = self._channel_first(observations)
        if self._exploration:
            self._exploration.begin(np.flatnonzero(dones), self._newest_frames(observations), info["frame_number"])
        if self._rooms:
            self._rooms.begin(np.flatnonzero(dones).tolist(), info["frame_number"])
        return observations, rewards.astype(np.float32), dones, infos

    def _record_metrics(
        self, observations: np.ndarray, rewards: np.ndarray, terminated: np.ndarray, infos: list[dict[str, Any]]
    ) -> None:
        """Count what the step has come to, and put the metrics of the episodes that it ended into their infos."""
        assert self._exploration
        ended = [index for index, info in enumerate(infos) if info]
        frames = self._newest_frames(observations).copy()
        for index in ended:
            frames[index] = self._newest_frames(infos[index]["terminal_observation"])
        self._exploration.step(frames, rewards, terminated)
        for index in ended:
            infos[index]["metrics"] = self._exploration.metrics(index)

    def close(self) -> None:
        """End ALE's threads and free the emulators; harmless when repeated."""
        if hasattr(self, "_ale"):
            del self._ale  # the last reference: the destructor joins the threads
        self._exploration = self._rooms = None

    def _newest_frames(self, observations: np.ndarray) -> np.ndarray:
        """The newest frames of observations ``(..., stack * channels, size, size)``."""
        assert self.frame_channels
        return observations[..., -self.frame_channels :, :, :]

    def _channel_first(self, images: np.ndarray) -> np.ndarray:
        """Turn ALE's colour images ``(..., stack, size, size, 3)`` into ``(..., stack * 3, size, size)``."""
        if self.frame_channels == 1:
            return images
        return np.moveaxis(images, -1, -3).reshape(*images.shape[:-4], *self._shape)


def _open_games(config: AtariConfig, n_envs: int, threads: int) -> AtariVectorEnv | BicubicStacks:
    """The games with frames as the configuration wants them."""
    if config.resize == "area":
        return _make_vector_env(config, n_envs, threads, (config.size, config.size), config.stack)
    games = _make_vector_env(config, n_envs, threads, screen_size(config.game), stack=1)
    return BicubicStacks(games, config.stack, config.size)


def _make_vector_env(config: AtariConfig, n_envs: int, threads: int, size: tuple[int, int], stack: int) -> AtariVectorEnv:
    """ALE's vector environment with every option stated, none left to a default."""
    return AtariVectorEnv(
        config.game,
        n_envs,
        batch_size=n_envs,
        num_threads=threads,
        thread_affinity_offset=-1,
        # One step more than an episode lasts here: ALE's own limit, which spoils the last observation, never acts.
        max_num_frames_per_episode=(config.episode_steps + 1) * config.frame_skip,
        repeat_action_probability=config.sticky,
        full_action_space=config.full_action_space,
        continuous=False,
        autoreset_mode=AutoresetMode.SAME_STEP,
        img_height=size[0],
        img_width=size[1],
        grayscale=config.grayscale,
        stack_num=stack,
        frameskip=config.frame_skip,
        maxpool=config.maxpool,
        noop_max=config.noop_max,
        episodic_life=False,
        life_loss_info=False,
        reward_clipping=False,
        use_fire_reset=config.fire_reset,
    )
