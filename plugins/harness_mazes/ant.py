"""One ant in a maze: gymnasium-robotics' with its dictionary flattened, a fixed start and goal, and metrics.

Processes that step ants import this module, so it needs no torch.
"""

from __future__ import annotations

import tempfile
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

import gymnasium
import numpy as np

from harness_mazes.config import MazeConfig
from harness_mazes.visited import VisitedCells

ACTIONS = 8
METRICS = ("success", "time_to_first_reward", "coverage")
CELL_METRES = 4.0  # metres; gymnasium-robotics' AntMaze scales its maps by it
_ONLY_ENV = np.zeros(1, np.int64)


def observation_size(config: MazeConfig) -> int:
    """Numbers of an observation: position 2, joint angles and velocities 27, contact forces 78 if asked for, goal 2."""
    return 2 + 27 + 78 * config.contact_forces + 2


def make_ant(config: MazeConfig) -> AntMaze:
    """An ant in the configured maze."""
    with redirect_stderr(StringIO()):  # a remark on versions of other environments
        from gymnasium_robotics.envs.maze.ant_maze_v5 import AntMazeEnv

    with tempfile.TemporaryDirectory() as folder:
        # The maze's model is written to the folder for temporary files and never removed.
        usual, tempfile.tempdir = tempfile.tempdir, folder
        try:
            env = AntMazeEnv(
                maze_map=[[*row] for row in config.maze.grid],
                continuing_task=False,
                include_cfrc_ext_in_observation=config.contact_forces,
            )
        finally:
            tempfile.tempdir = usual
    return AntMaze(env, config)


class AntMaze(gymnasium.Env[np.ndarray, np.ndarray]):
    """Observations float32: the position, angles and velocities, contact forces if asked for, and the goal.

    The position, which gymnasium-robotics calls ``achieved_goal``, is in: nothing else tells where the ant is.

    Args:
        env: The environment of the ant.
        config: Settings of its maze.
    """

    def __init__(self, env: Any, config: MazeConfig) -> None:
        self._env, self._limit = env, config.episode_limit
        self._visited = VisitedCells(config.maze, 1)
        self._cells = {"reset_cell": config.maze.start, "goal_cell": config.maze.goal}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        observation, _ = self._env.reset(seed=seed, options=self._cells)
        self._steps = 0
        self._visited.clear(_ONLY_ENV)
        return self._flatten(observation), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Do eight torques, from -1 to 1."""
        observation, reward, terminated, _, _ = self._env.step(action)
        self._steps += 1
        truncated = self._steps >= self._limit
        flat, info = self._flatten(observation), {}
        if terminated or truncated:
            info["metrics"] = dict(zip(METRICS, (float(reward > 0), self._steps, self._visited.coverage(0)), strict=True))
        return flat, float(reward), bool(terminated), truncated, info

    def close(self) -> None:
        """Free the model."""
        self._env.close()

    def _flatten(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        position = observation["achieved_goal"]
        self._visited.add(_ONLY_ENV, position[None] / CELL_METRES)
        return np.concatenate([position, observation["observation"], observation["desired_goal"]], dtype=np.float32)
