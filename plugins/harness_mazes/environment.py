"""From a configuration to its environments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from harness import HarnessVecEnv
from harness.environments.envpool import EnvPoolTask, EnvPoolVecEnv, FlattenedDict, Pool, SuccessRewards, scaled_converter
from harness.environments.episode_metrics import FirstRewardMetrics
from harness.environments.vector.batch import GymnasiumVecEnv
from harness_mazes.ant import ACTIONS, CELL_METRES, METRICS, make_ant, observation_size
from harness_mazes.config import MazeConfig
from harness_mazes.maps import Maze
from harness_mazes.pictures import draw_maze
from harness_mazes.places import maze_places
from harness_mazes.visited import VisitedCells

_POOLS = {"point_umaze": "PointMaze_UMaze-v3", "point_medium": "PointMaze_Medium-v3", "point_large": "PointMaze_Large-v3"}


def make(config: MazeConfig, n_envs: int, *, threads: int = 1) -> HarnessVecEnv:
    """N mazes.

    Args:
        config: The body and its maze.
        n_envs: N, the number of environments that step together.
        threads: C++ threads that step balls, or processes that step ants; the numbers do not depend on it.
    """
    if config.body == "point":
        return _make_point_mazes(config, n_envs, threads)
    factories = [partial(make_ant, config) for _ in range(n_envs)]
    observations = spaces.Box(-np.inf, np.inf, (observation_size(config),), np.float32)
    actions = spaces.Box(-1.0, 1.0, (ACTIONS,), np.float32)
    draw = partial(draw_maze, maze=config.maze, cell_size=CELL_METRES)
    places = maze_places(config.maze, lambda seen: seen[:, :2] / CELL_METRES)
    return GymnasiumVecEnv(factories, observations, actions, processes=threads, metrics=METRICS, draw=draw, places=places)


def _make_point_mazes(config: MazeConfig, n_envs: int, threads: int) -> EnvPoolVecEnv:
    task = EnvPoolTask(_POOLS[config.task], {"max_episode_steps": config.episode_limit, "continuing_task": False})
    observation_space, action_space = task.spaces()

    def open_pool(seeds: list[int]) -> Pool:
        return SuccessRewards(task.open(seeds, threads), "success", ends=True)

    return EnvPoolVecEnv(
        open_pool,
        n_envs,
        FlattenedDict(observation_space, ("observation", "desired_goal")),
        scaled_converter(action_space),
        metrics=partial(PointMetrics, maze=config.maze),
        draw=partial(draw_maze, maze=config.maze, cell_size=1.0),
        places=maze_places(config.maze, lambda seen: seen["achieved_goal"]),
    )


class PointMetrics:
    """How far an episode has explored.

    * ``success``, ``time_to_first_reward``: see `harness.environments.episode_metrics.FirstRewardMetrics`;
    * ``coverage``: the share of the maze's free cells that the ball has been in.

    Args:
        n_envs: Number of environments, N.
        maze: The maze they are in.
    """

    def __init__(self, n_envs: int, maze: Maze) -> None:
        self._first, self._visited, self._envs = FirstRewardMetrics(n_envs), VisitedCells(maze, n_envs), np.arange(n_envs)

    def begin(self, envs: np.ndarray, observations: Any, info: Mapping[str, Any]) -> None:
        """Forget what these environments have done."""
        self._first.begin(envs, observations, info)
        self._visited.clear(envs)
        self._visited.add(envs, observations["achieved_goal"])

    def step(self, observations: Any, rewards: np.ndarray, info: Mapping[str, Any]) -> None:
        """Take in a step."""
        self._first.step(observations, rewards, info)
        self._visited.add(self._envs, observations["achieved_goal"])

    def metrics(self, env: int) -> dict[str, float]:
        """The metrics of that environment's running episode."""
        return {**self._first.metrics(env), "coverage": self._visited.coverage(env)}
