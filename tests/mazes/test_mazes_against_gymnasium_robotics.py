"""Mazes are gymnasium-robotics', and every level of a ball's can be solved by one who knows the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.episodes import first_episodes, solved

from harness_mazes.config import MazeConfig
from harness_mazes.environment import make
from harness_mazes.maps import Maze

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]
POINTS = {"point_umaze": "PointMaze_UMaze-v3", "point_medium": "PointMaze_Medium-v3", "point_large": "PointMaze_Large-v3"}
ANTS = {"ant_umaze": "AntMaze_UMaze-v5", "ant_medium": "AntMaze_Medium-v5", "ant_large": "AntMaze_Large-v5"}
Cell = tuple[int, int]


@pytest.fixture
def registered() -> Callable[..., Any]:
    import gymnasium
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    return gymnasium.make


@pytest.mark.parametrize("task", POINTS)
def test_a_ball_moves_and_earns_as_in_the_original(task: str, registered: Callable[..., Any]):
    """Every step from EnvPool's state, whose four numbers are all of it, so that no error grows."""
    config, seeds = MazeConfig(task=task), range(8)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (config.episode_limit // 10, len(seeds), 2)).repeat(10, axis=0).astype(np.float32)
    first, episodes = first_episodes(make(config, len(seeds)), list(seeds), actions)
    theirs, ends = registered(POINTS[task], continuing_task=False), []
    assert theirs.spec.max_episode_steps == config.episode_limit
    ball = theirs.unwrapped
    for start, episode in zip(first.astype(np.float64), episodes, strict=True):
        theirs.reset(seed=0)
        ball.goal, state = start[4:], start
        for number, step in enumerate(episode, start=1):
            ball.point_env.set_state(state[:2], state[2:4])
            seen, reward, terminated, truncated, _ = theirs.step(step.action)
            assert np.allclose(step.observation, np.concatenate([seen["observation"], start[4:]]), atol=1e-3), f"step {number}"
            assert (step.reward, step.terminated, step.truncated) == (reward, terminated, truncated)
            state = step.observation.astype(np.float64)
        ends.append("goal" if terminated else "limit" if truncated else "none")
    assert set(ends) == {"goal", "limit"} or task != "point_umaze"
    assert "none" not in ends
    theirs.close()


@pytest.mark.parametrize("task", POINTS)
def test_starts_and_goals_of_a_ball_are_drawn_as_in_the_original(task: str, registered: Callable[..., Any]):
    n_envs, theirs = 100, registered(POINTS[task], continuing_task=False)
    env = make(MazeConfig(task=task), n_envs)  # type: ignore[arg-type]
    env.reseed(list(range(n_envs)))
    ours = np.asarray(env.reset(), np.float64)
    env.close()
    seen = [theirs.reset(seed=seed)[0] for seed in range(n_envs)]
    other = np.stack([np.concatenate([each["observation"], each["desired_goal"]]) for each in seen])
    error = np.hypot(ours.std(0), other.std(0)) / np.sqrt(n_envs)
    assert (np.abs(ours.mean(0) - other.mean(0)) <= 4 * error).all()
    assert np.allclose(ours.std(0), other.std(0), rtol=0.3)
    for each in (ours, other):
        # Start and goal are never within half a cell of each other.
        assert np.linalg.norm(each[:, :2] - each[:, 4:], axis=1).min() > 0.45
    theirs.close()


def cell_of(maze: Maze, place: np.ndarray) -> Cell:
    return int(len(maze.rows) / 2 - place[1]), int(place[0] + len(maze.rows[0]) / 2)


def middle(maze: Maze, cell: Cell) -> np.ndarray:
    return np.array([cell[1] + 0.5 - len(maze.rows[0]) / 2, len(maze.rows) / 2 - cell[0] - 0.5])


def ways_to(maze: Maze, goal: Cell) -> dict[Cell, Cell]:
    """For each free cell the next one on a shortest way to the goal; the goal's is itself."""
    following, frontier = {goal: goal}, [goal]
    for row, column in frontier:
        for cell in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if cell in maze.free and cell not in following:
                following[cell] = (row, column)
                frontier.append(cell)
    return following


@pytest.mark.parametrize("task", POINTS)
def test_one_who_knows_the_map_steers_a_ball_to_its_goal(task: str):
    config, n_envs = MazeConfig(task=task), 40  # type: ignore[arg-type]
    maze = config.maze
    ways = {cell: ways_to(maze, cell) for cell in maze.free}

    def force(seen: np.ndarray) -> np.ndarray:
        here, goal = cell_of(maze, seen[:2]), cell_of(maze, seen[4:])
        following = ways[goal][here]
        target = seen[4:] if goal in (here, following) else middle(maze, following)
        return np.clip(10 * (target - seen[:2]) - 3 * seen[2:4], -1, 1)

    share = solved(make(config, n_envs), range(n_envs), lambda seen: np.stack([*map(force, seen)]).astype(np.float32)).mean()
    assert share >= 0.95


@pytest.mark.parametrize("task", ANTS)
def test_an_ant_does_as_in_the_original(task: str, registered: Callable[..., Any]):
    config = MazeConfig(task=task)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    first, [episode] = first_episodes(
        make(config, 1), [3], rng.uniform(-1, 1, (config.episode_limit, 1, 8)).astype(np.float32)
    )
    theirs = registered(ANTS[task], continuing_task=False, include_cfrc_ext_in_observation=False)
    assert theirs.spec.max_episode_steps == config.episode_limit
    cells = {"reset_cell": np.array(config.maze.start), "goal_cell": np.array(config.maze.goal)}
    seen, _ = theirs.reset(seed=3, options=cells)
    assert np.allclose(first[0], flat(seen), atol=1e-5)
    for step in episode:
        seen, reward, terminated, truncated, _ = theirs.step(step.action)
        assert np.allclose(step.observation, flat(seen), atol=1e-5)
        assert (step.reward, step.terminated, step.truncated) == (reward, terminated, truncated)
    assert episode[-1].terminated or episode[-1].truncated
    theirs.close()


@pytest.mark.parametrize("task", ANTS)
def test_an_ant_at_its_goal_earns_one_and_ends_as_in_the_original(task: str, registered: Callable[..., Any]):
    """Ants that are put near the goal: at distances on both sides of what counts as there."""
    from harness_mazes.ant import make_ant

    config = MazeConfig(task=task)  # type: ignore[arg-type]
    ours, outcomes = make_ant(config), set()
    theirs = registered(ANTS[task], continuing_task=False, include_cfrc_ext_in_observation=False)
    for distance in (0.1, 0.3, 0.6, 0.9):
        steps = []
        for env, ant in ((ours, ours._env), (theirs, theirs.unwrapped)):
            env.reset(seed=1, options={"reset_cell": np.array(config.maze.start), "goal_cell": np.array(config.maze.goal)})
            place = ant.ant_env.data.qpos.copy()
            place[:2] = ant.goal + np.array([distance, 0])
            ant.ant_env.set_state(place, ant.ant_env.data.qvel.copy())
            ant.goal = ours._env.goal.copy()
            steps.append(env.step(np.zeros(8, np.float32))[1:3])
        assert steps[0] == steps[1]
        outcomes.add(steps[0])
    assert outcomes == {(0.0, False), (1.0, True)}
    theirs.close()


def flat(seen: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([seen["achieved_goal"], seen["observation"], seen["desired_goal"]])
