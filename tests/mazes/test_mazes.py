"""Balls and ants find what they should, and the maps are gymnasium-robotics'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness_mazes.ant import make_ant
from harness_mazes.config import MazeConfig
from harness_mazes.environment import make
from harness_mazes.maps import MAZES
from harness_mazes.visited import VisitedCells, cells


@pytest.mark.parametrize(
    ("name", "constant", "goal"),
    [("umaze", "U_MAZE", (3, 1)), ("medium", "MEDIUM_MAZE", (6, 5)), ("large", "LARGE_MAZE", (3, 10))],
)
def test_maps_are_gymnasium_robotics(name: str, constant: str, goal: tuple[int, int]):
    maps = pytest.importorskip("gymnasium_robotics.envs.maze.maps")
    assert MAZES[name].grid == getattr(maps, constant)
    assert (MAZES[name].start, MAZES[name].goal) == ((1, 1), goal)


@given(st.sampled_from(sorted(MAZES)), st.data())
def test_a_position_lies_in_its_cell(name: str, data: st.DataObject):
    maze = MAZES[name]
    row, column = data.draw(st.sampled_from(maze.free))
    inside = st.floats(0.01, 0.99)
    x = column + data.draw(inside) - len(maze.rows[0]) / 2
    y = len(maze.rows) / 2 - row - data.draw(inside)
    assert cells(maze, np.array([[x, y]])).tolist() == [row * len(maze.rows[0]) + column]


def test_coverage_counts_cells_once():
    maze = MAZES["umaze"]
    visited = VisitedCells(maze, 2)
    for x in (-1.0, -0.9, 0.0):
        visited.add(np.array([1]), np.array([[x, 1.0]]))
    assert (visited.coverage(0), visited.coverage(1)) == (0.0, pytest.approx(2 / 7))
    visited.clear(np.array([1]))
    assert visited.coverage(1) == 0


def test_a_ball_that_is_steered_to_its_goal_earns_one():
    env = make(MazeConfig(task="point_umaze", episode_steps=400), 8)
    env.enable_metrics()
    env.reseed(range(8))
    seen = env.reset()
    succeeded = False
    for _ in range(300):
        # Straight at the goal: works wherever no wall is between.
        position, velocity, goal = seen[:, :2], seen[:, 2:4], seen[:, 4:]
        seen, rewards, dones, infos = env.step(np.clip(4 * (goal - position) - velocity, -1, 1).astype(np.float32))
        for i in np.flatnonzero(rewards):
            info = infos[i]
            last = info["terminal_observation"]
            assert dones[i] and rewards[i] == 1 and not info["TimeLimit.truncated"]
            assert np.linalg.norm(last[:2] - last[4:]) <= 0.45
            assert info["metrics"]["success"] == 1 and 0 < info["metrics"]["coverage"] <= 1
            succeeded = True
    env.close()
    assert succeeded


def test_an_ant_starts_in_the_corner_and_sees_its_goal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    config = MazeConfig(task="ant_large", episode_steps=3)
    ant = make_ant(config)
    seen, _ = ant.reset(seed=1)
    assert not list(tmp_path.iterdir()), "the maze's model has been left behind"
    # Cells are 4 m wide and both places are drawn within 1 m of a cell's middle.
    assert np.abs(seen[:2] - np.array([-18.0, 12.0])).max() <= 1.01
    assert np.abs(seen[-2:] - np.array([18.0, 4.0])).max() <= 1.01
    assert ant.reset(seed=1)[0].tolist() == seen.tolist()
    steps = [ant.step(np.zeros(8, np.float32)) for _ in range(3)]
    ant.close()
    assert [step[3] for step in steps] == [False, False, True]
    assert steps[-1][4]["metrics"] == {"success": 0.0, "time_to_first_reward": 3, "coverage": pytest.approx(1 / 46)}


def test_ants_in_processes_do_as_those_in_one():
    config = MazeConfig(task="ant_umaze", episode_steps=5)
    actions = np.random.default_rng(0).uniform(-1, 1, (12, 3, 8)).astype(np.float32)
    runs = []
    for threads in (1, 2):
        env = make(config, 3, threads=threads)
        env.reseed([1, 2, 3])
        seen = [env.reset()] + [part for row in actions for part in env.step(row)[:3]]
        env.close()
        runs.append(seen)
    assert all(np.array_equal(one, other) for one, other in zip(*runs, strict=True))


def test_contact_forces_are_for_ants():
    env = make(MazeConfig(task="ant_umaze", contact_forces=True), 1)
    assert env.reset().shape == (1, 109) == (1, *env.observation_space.shape)
    env.close()
    with pytest.raises(ValidationError, match="a ball has none"):
        MazeConfig(task="point_umaze", contact_forces=True)
