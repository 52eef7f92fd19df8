"""EnvPool's tasks are dm_control's: the same parts in the same order, and from the same state the same steps and rewards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from harness_dm_control.config import DmControlConfig
from harness_dm_control.environment import make
from harness_dm_control.tasks import TASKS

State = dict[str, np.ndarray]
CHEAP = ["ball_in_cup_catch", "finger_spin", "finger_turn_hard", "fish_swim", "humanoid_run_pure_state", "quadruped_fetch"]


@pytest.fixture(scope="module")
def suite() -> Iterator[Any]:
    """dm_control's suite, imported without a renderer unless one has been chosen already."""
    with pytest.MonkeyPatch.context() as patch:
        if "MUJOCO_GL" not in os.environ:
            patch.setenv("MUJOCO_GL", "disabled")
        from dm_control import suite as imported

        yield imported


def test_tasks_are_those_of_dm_control_but_lqr(suite: Any):
    theirs = {f"{domain}_{name}": (domain, name) for domain, name in suite.ALL_TASKS if domain != "lqr"}
    assert {task: (known.domain, known.name) for task, known in TASKS.items()} == theirs


def test_envpool_has_them_all():
    import envpool

    assert {task.envpool_id for task in TASKS.values()} <= set(envpool.list_all_envs())


@pytest.mark.parametrize(
    "task", [pytest.param(task, marks=[] if task in CHEAP else [pytest.mark.slow]) for task in TASKS], ids=str
)
def test_spaces_are_dm_controls(task: str, suite: Any):
    known = TASKS[task]
    theirs = suite.load(known.domain, known.name)
    env = make(DmControlConfig(task=task), 1)
    observed, motors = theirs.observation_spec(), theirs.action_spec()
    assert known.parts == tuple(observed)
    assert env.observation_space.shape == (sum(int(np.prod(part.shape)) for part in observed.values()),)
    assert env.action_space.shape == motors.shape
    assert np.allclose(env._actions.convert(np.full((1, *motors.shape), -1.0)), motors.minimum)
    assert np.allclose(env._actions.convert(np.full((1, *motors.shape), 1.0)), motors.maximum)


def upright(physics: Any, state: State) -> None:
    physics.data.qpos[:] = np.arctan2(state["orientation"][1], state["orientation"][0])


def cart(physics: Any, state: State) -> None:
    x, cosine, sine = state["position"]
    physics.data.qpos[:] = [x, np.arctan2(sine, cosine)]


def two_links(physics: Any, state: State) -> None:
    sines, cosines = state["orientations"].reshape(2, 2)
    upper, lower = np.arctan2(sines, cosines)
    physics.data.qpos[:] = [upper, lower - upper]


def plain(physics: Any, state: State) -> None:
    physics.data.qpos[:] = state["position"]


def anywhere_along_the_track(physics: Any, state: State) -> None:
    physics.data.qpos[:] = [0, *state["position"]]


def arm_and_target(physics: Any, state: State) -> None:
    plain(physics, state)
    physics.forward()
    target = physics.named.data.geom_xpos["finger", :2] + state["to_target"]
    physics.named.model.geom_pos["target", ["x", "y"]] = target


# How a state is put into dm_control's physics, and the accuracy that contacts and stiff joints leave after 60 steps.
BY_STATE: dict[str, tuple[Callable[[Any, State], None], float]] = {
    "acrobot_swingup": (two_links, 1e-4),
    "acrobot_swingup_sparse": (two_links, 1e-4),
    "ball_in_cup_catch": (plain, 1e-4),
    "cartpole_balance_sparse": (cart, 1e-4),
    "cartpole_swingup": (cart, 1e-4),
    "cartpole_swingup_sparse": (cart, 1e-4),
    "cheetah_run": (anywhere_along_the_track, 1e-3),
    "hopper_hop": (anywhere_along_the_track, 1e-2),
    "pendulum_swingup": (upright, 1e-4),
    "point_mass_easy": (plain, 1e-4),
    "reacher_easy": (arm_and_target, 1e-4),
}
REWARDED = {"ball_in_cup_catch", "cartpole_balance_sparse", "cartpole_swingup", "pendulum_swingup", "reacher_easy"}


@pytest.mark.parametrize("repeat", [1, 3])
@pytest.mark.parametrize("task", BY_STATE)
def test_from_equal_states_the_same_happens(task: str, repeat: int, suite: Any):
    """EnvPool's random states, put into dm_control's own environment, which then takes every action ``repeat`` times."""
    put, accuracy = BY_STATE[task]
    n_envs, earned = 8, 0.0
    env = make(DmControlConfig(task=task, action_repeat=repeat), n_envs)
    env.reseed(list(range(n_envs)))
    first = env.reset()
    actions = np.random.default_rng(0).uniform(-1, 1, (60 // repeat, n_envs, *env.action_space.shape)).astype(np.float32)
    steps = [env.step(row)[:2] for row in actions]
    slices = env._observations.slices
    theirs = suite.load(TASKS[task].domain, TASKS[task].name)
    for i in range(n_envs):
        theirs.reset()
        with theirs.physics.reset_context():
            state = {name: first[i, part].astype(np.float64) for name, part in slices.items()}
            put(theirs.physics, state)
            theirs.physics.data.qvel[:] = state["velocity"]
        for row, (observations, rewards) in zip(actions, steps, strict=True):
            taken = [theirs.step(row[i]) for _ in range(repeat)]
            shown = np.concatenate([np.ravel(part) for part in taken[-1].observation.values()])
            assert np.allclose(observations[i], shown, atol=accuracy, rtol=accuracy)
            assert rewards[i] == pytest.approx(sum(step.reward for step in taken), abs=accuracy)
            earned += float(rewards[i])
    assert earned > 0 or task not in REWARDED


def test_episodes_last_as_long_as_dm_controls(suite: Any):
    theirs = suite.load("pendulum", "swingup", environment_kwargs={"flat_observation": False})
    theirs.reset()
    steps = 1
    while not (last := theirs.step(np.zeros(1))).last():
        steps += 1
    env = make(DmControlConfig(task="pendulum_swingup"), 1)
    env.reset()
    dones = [env.step(np.zeros((1, 1), np.float32))[2:] for _ in range(steps)]
    assert steps == 1000 and last.discount == 1
    assert [bool(done[0]) for done, _ in dones] == [False] * 999 + [True]
    assert dones[-1][1][0]["TimeLimit.truncated"] is True
