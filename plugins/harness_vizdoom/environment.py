"""MyWayHome behind `HarnessVecEnv`.

Facts of EnvPool 1.2.5 that this is built around (each is held by a test):

* It pays for changes of ammunition, health and the like and ignores the scenario's own reward: **the vest earns nothing**. So
  rewards are computed here. An episode ends without being cut only when the vest is found.
* A vest that is found in the very last step counts as a cut: EnvPool does not tell the two apart.
* A reset in the middle of an episode only goes on with it. So `VizDoomVecEnv.reset` always begins with new games.
* Every environment is a process of Doom's engine, which ends with the batch. It writes into its working directory and goes on
  needing it, so a folder of its own lives as long as the batch. It outlives an owner that is killed (`engines`).
* These processes are forked by several threads at once. OpenBLAS ends its own threads whenever somebody forks; where two do so
  at once it may wait for a thread that is gone, for ever; so they are ended before (`_end_blas_threads`).
"""

from __future__ import annotations

import os
import warnings
from contextlib import chdir
from functools import partial

import numpy as np
from gymnasium import spaces

from harness.environments.base import validate_discrete_actions
from harness.environments.envpool import ActionConverter, EnvPoolTask, EnvPoolVecEnv, Images, Pool, StepResult
from harness.environments.episode_metrics import FirstRewardMetrics
from harness_vizdoom.config import START_SPOTS, VizDoomConfig
from harness_vizdoom.engines import EngineFolder, end_left_behind
from harness_vizdoom.scenario import write_scenario

ENVPOOL_ID = "MyWayHome-v1"

BUTTONS = np.array([[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0]], np.float64)
"""What stand, forward, right and left press of the buttons turn left, turn right, forward, step left, step right: one at a
time, as ``ToDiscrete('minimal')`` in pathak22/noreward-rl ``src/envs.py``."""


def make(config: VizDoomConfig, n_envs: int, *, threads: int = 1) -> VizDoomVecEnv:
    """N labyrinths.

    Args:
        config: The start, and what is seen.
        n_envs: N, the number of environments that step together; each is a process of its own.
        threads: C++ threads that wait for these processes; the numbers do not depend on it.
    """
    return VizDoomVecEnv(config, n_envs, threads=threads)


class VizDoomVecEnv(EnvPoolVecEnv):
    """N labyrinths: observations uint8 ``(N, channels * stack, size, size)``, newest image last.

    Args:
        config: The start, and what is seen.
        n_envs: Number of environments, N.
        threads: C++ threads that wait for the N processes.
    """

    def __init__(self, config: VizDoomConfig, n_envs: int, *, threads: int = 1) -> None:
        # Importing EnvPool keeps its callers' frames alive, and with them a batch that one of them has at hand.
        EnvPoolTask(ENVPOOL_ID).spaces()
        channels = 1 if config.grayscale else 3
        space = spaces.Box(0, 255, (channels * config.stack, config.size, config.size), np.uint8)
        super().__init__(
            partial(_open_pool, config, threads=threads),
            n_envs,
            Images(space, channels),
            ActionConverter(spaces.Discrete(len(BUTTONS)), _to_buttons),
            rewards=partial(_rewards, cost=config.living_cost * config.frame_skip),
            metrics=FirstRewardMetrics,
        )
        self._seed_rng = np.random.default_rng()

    def reset(self) -> np.ndarray:
        """Begin new games everywhere; without new seeds, with some that follow from the last ones."""
        if None in self._seeds:
            self.reseed(self._seed_rng.integers(2**31, size=self.num_envs).tolist())
        self._seed_rng = np.random.default_rng([int(seed) for seed in self._seeds if seed is not None])
        return super().reset()


def _open_pool(config: VizDoomConfig, seeds: list[int], *, threads: int) -> Pool:
    end_left_behind()
    folder = EngineFolder()
    settings, world = write_scenario(
        folder.path, START_SPOTS[config.task], grayscale=config.grayscale, turns=config.start_turns
    )
    task = EnvPoolTask(
        ENVPOOL_ID,
        {
            "cfg_path": str(settings),
            "wad_path": str(world),
            "frame_skip": config.frame_skip,
            "max_episode_steps": config.episode_steps,
            "img_height": config.size,
            "img_width": config.size,
            "stack_num": config.stack,
        },
    )
    _end_blas_threads()
    try:
        with chdir(folder.path):
            pool = task.open(seeds, threads)
    except BaseException:
        folder.delete()
        raise
    folder.keep_for(pool)
    return pool


def _end_blas_threads() -> None:
    """Fork once, alone: whoever forks next finds no threads of OpenBLAS, which starts them again when it has work."""
    with warnings.catch_warnings():
        # Python warns of forking beside threads because the child may need a lock of theirs; this one only ends.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _to_buttons(actions: np.ndarray) -> np.ndarray:
    return BUTTONS[validate_discrete_actions(actions, len(BUTTONS))]


def _rewards(batch: StepResult, *, cost: float) -> np.ndarray:
    return (batch.terminated - np.float32(cost)).astype(np.float32)
