"""Success earns 1 and ends an episode, in every task that EnvPool has."""

from __future__ import annotations

from typing import Literal

import envpool
import numpy as np
import pytest
from pydantic import ValidationError

from harness.environments.envpool import SuccessRewards
from harness_manipulation.config import ManipulationConfig
from harness_manipulation.environment import make
from harness_manipulation.tasks import TASKS


def test_every_task_is_envpools():
    known = set(envpool.list_all_envs())
    assert {task.envpool_id for task in TASKS.values()} <= known
    metaworld = {name for name in known if name.startswith("MetaWorld/")}
    assert {task.envpool_id for task in TASKS.values() if task.envpool_id in metaworld} == metaworld


@pytest.mark.parametrize("task", ["fetch_slide", "adroit_pen", "metaworld_pick_place"])
def test_limits_are_envpools(task: str):
    assert envpool.make_spec(TASKS[task].envpool_id).config.max_episode_steps == TASKS[task].limit


class Pool:
    """Three environments of which the second succeeds."""

    def send(self, action, env_id): ...

    def recv(self):
        no = np.zeros(3, bool)
        return "seen", np.full(3, -1.0), no, ~no, {"good": np.array([0.0, 1.0, 0.0])}

    def reset(self, env_id):
        return "begun", {}


@pytest.mark.parametrize("ends", [True, False])
def test_success_is_all_that_earns(ends: bool):
    _, rewards, terminated, truncated, _ = SuccessRewards(Pool(), "good", ends=ends).recv()
    assert (rewards.tolist(), rewards.dtype) == ([0, 1, 0], np.float32)
    assert terminated.tolist() == [False, ends, False] and truncated.all()


def reached(ends: bool) -> tuple[int, int]:
    """Successes and episodes that they ended, of arms that are steered to their goals."""
    env = make(ManipulationConfig(task="fetch_reach", ends_at_success=ends), 2)
    env.enable_metrics()
    env.reseed([1, 2])
    seen, successes, ended = env.reset(), 0, 0
    for _ in range(60):
        # The gripper's place comes first, the goal last; a metre is more than 20 steps of the arm.
        to_goal = np.clip(20 * (seen[:, -3:] - seen[:, :3]), -1, 1)
        seen, rewards, dones, infos = env.step(np.pad(to_goal, ((0, 0), (0, 1))).astype(np.float32))
        successes += int(rewards.sum())
        for i in np.flatnonzero(dones):
            ended += not infos[i]["TimeLimit.truncated"]
            assert infos[i]["metrics"]["success"] == 1
    env.close()
    return successes, ended


def test_an_arm_that_reaches_its_goal_ends_the_episode_unless_told_otherwise():
    successes, ended = reached(ends=True)
    assert successes == ended > 2
    successes, ended = reached(ends=False)
    assert successes > 20 and ended == 0


@pytest.mark.parametrize("task", ["metaworld_pick_place", "metaworld_peg_insert_side"])
def test_goals_of_metaworld_are_shown_unless_hidden(task: str):
    goals = {}
    for choice in (None, "shown", "hidden"):
        env = make(ManipulationConfig(task=task, goals=choice), 4)
        env.reseed([1, 2, 3, 4])
        goals[choice] = env.reset()[:, 36:]
        env.close()
    assert goals[None].shape == (4, 3)
    assert len(np.unique(goals[None], axis=0)) == 4, "each episode draws a goal"
    assert np.array_equal(goals[None], goals["shown"])
    assert not goals["hidden"].any()


def test_only_records_of_metaworld_say_whether_goals_are_shown():
    """Digests of runs on Fetch and Adroit stay what they were."""
    assert ManipulationConfig(task="metaworld_pick_place").model_dump()["goals"] == "shown"
    for task in ("fetch_push", "adroit_pen"):
        assert "goals" not in ManipulationConfig(task=task).model_dump()
        with pytest.raises(ValidationError, match="cannot be hidden"):
            ManipulationConfig(task=task, goals="hidden")


def test_a_grasping_hand_that_sees_the_goal_brings_the_object_there():
    """A scripted arm, which reads the goal from the observation, succeeds where goals are shown and not where they are not."""
    assert brought("shown") >= 6 and brought("hidden") <= 1


def brought(goals: Literal["shown", "hidden"], episodes: int = 8) -> int:
    """Episodes of pick_place in which the object reaches its goal."""
    env = make(ManipulationConfig(task="metaworld_pick_place", goals=goals), episodes)
    env.reseed(list(range(episodes)))
    seen, succeeded = env.reset(), np.zeros(episodes, bool)
    for _ in range(300):
        seen, rewards, _, _ = env.step(np.stack([grasp_and_carry(one) for one in seen]).astype(np.float32))
        succeeded |= rewards > 0
    env.close()
    return int(succeeded.sum())


def grasp_and_carry(seen: np.ndarray) -> np.ndarray:
    """One action: above the object, down to it, closed around it, then to the goal."""
    hand, opening, thing, goal = seen[:3], seen[3], seen[4:7], seen[36:39]
    above = np.linalg.norm(hand[:2] - thing[:2]) > 0.02
    held = not above and abs(hand[2] - thing[2]) < 0.04
    if above:
        target, grip = thing + np.array([0, 0, 0.1]), -1.0
    elif not held:
        target, grip = thing + np.array([0, 0, 0.02]), -1.0
    else:
        target, grip = (thing if opening > 0.73 else goal), 0.6
    return np.append(np.clip(10 * (target - hand), -1, 1), grip)


def test_a_misspelt_task_is_told_the_nearest():
    with pytest.raises(ValidationError, match="did you mean 'metaworld_pick_place'"):
        ManipulationConfig(task="MetaWorld/PickPlace-v3")
