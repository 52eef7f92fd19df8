"""The harness's own checks of a family, one test each, and the rules of the cliff."""

from __future__ import annotations

import numpy as np

from harness.testing.families import FamilyConformance
from harness_cliff.config import CliffConfig
from harness_cliff.environment import DOWN, LEFT, RIGHT, UP, make


class TestConformance(FamilyConformance):
    family = "cliff"


class TestWithoutWind(FamilyConformance):
    family = "cliff"
    config = {"wind": 0, "height": 2}


def walk(moves: list[int], **settings: float) -> tuple[list[float], dict]:
    """Rewards of the moves, and the info of the last one."""
    env = make(CliffConfig.model_validate({"width": 4, "height": 3, "wind": 0} | settings), 1)
    env.reset()
    steps = [env.step(np.array([move])) for move in moves]
    return [float(step[1][0]) for step in steps], steps[-1][3][0]


def test_the_way_around_earns_one_at_the_goal_and_terminates() -> None:
    rewards, info = walk([UP, RIGHT, RIGHT, RIGHT, DOWN])
    assert rewards == [0, 0, 0, 0, 1]
    assert info["metrics"] == {"success": 1.0, "fell": 0.0, "farthest": 1.0}
    assert info["TimeLimit.truncated"] is False
    assert info["terminal_observation"].argmax() == 11


def test_the_cliff_ends_the_episode_with_nothing() -> None:
    rewards, info = walk([RIGHT])
    assert rewards == [0]
    assert info["metrics"] == {"success": 0.0, "fell": 1.0, "farthest": 1 / 3}
    assert info["TimeLimit.truncated"] is False


def test_walls_hold_and_an_episode_is_cut_at_its_limit() -> None:
    rewards, info = walk([LEFT, DOWN, UP, UP, UP], episode_steps=5)
    assert not any(rewards)
    assert info["TimeLimit.truncated"] is True
    assert info["terminal_observation"].argmax() == 0


def test_wind_leads_down_whatever_the_agent_wants() -> None:
    _, info = walk([UP, UP], wind=1, episode_steps=2)
    assert info["terminal_observation"].argmax() == 8
