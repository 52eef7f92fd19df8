"""Success earns 1 and ends an episode, in every task that EnvPool has."""

from __future__ import annotations

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


def test_a_misspelt_task_is_told_the_nearest():
    with pytest.raises(ValidationError, match="did you mean 'metaworld_pick_place'"):
        ManipulationConfig(task="MetaWorld/PickPlace-v3")
