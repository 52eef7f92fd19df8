"""EnvPool's tasks are dm_control's: the same parts in the same order, and from the same state the same steps and rewards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness_dm_control.config import DmControlConfig
from harness_dm_control.environment import make
from harness_dm_control.tasks import SPARSE, TASKS

State = dict[str, np.ndarray]
CHEAP = ["ball_in_cup_catch", "finger_spin", "finger_turn_hard", "fish_swim", "humanoid_run_pure_state", "quadruped_fetch"]


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


def spinner(physics: Any, state: State) -> None:
    """The spinner's angle shows in where its tip is, relative to the hinge."""
    physics.data.qpos[:] = [*state["position"][:2], 0]
    physics.forward()
    at_zero, tip = physics.tip_position(), state["position"][2:]
    physics.data.qpos[2] = np.arctan2(*tip) - np.arctan2(*at_zero)
    physics.forward()
    if not np.allclose(physics.tip_position(), tip, atol=1e-5):
        physics.data.qpos[2] *= -1
    if "target_position" in state:
        hinge = physics.named.data.xanchor["hinge", ["x", "z"]]
        physics.named.model.site_pos["target", ["x", "z"]] = hinge + state["target_position"]


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


@pytest.mark.parametrize(
    ("task", "repeat"),
    [
        pytest.param(task, repeat, marks=() if repeat == 1 or task in CHEAP else pytest.mark.slow)
        for task in BY_STATE
        for repeat in (1, 3)
    ],
)
def test_from_equal_states_the_same_happens(task: str, repeat: int, suite: Any):
    """EnvPool's random states, put into dm_control's own environment, which then takes every action ``repeat`` times."""
    put, accuracy = BY_STATE[task]
    n_envs = 4
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


PUT = {
    "acrobot": two_links,
    "ball_in_cup": plain,
    "cartpole": cart,
    "finger": spinner,
    "hopper": anywhere_along_the_track,
    "pendulum": upright,
    "reacher": arm_and_target,
}


RARE = {"acrobot_swingup_sparse", "cartpole_swingup_sparse", "hopper_hop", "pendulum_swingup"}
"""Tasks whose goal random actions hardly ever reach: they need many more steps."""


@pytest.mark.parametrize(
    "task", [pytest.param(task, marks=[pytest.mark.slow] if task in RARE else []) for task in sorted(SPARSE)]
)
def test_goals_are_where_dm_control_has_them(task: str, suite: Any):
    """At states that EnvPool pays for and states that it does not, dm_control's task pays the same."""
    n_envs, steps = (64, 600) if task in RARE else (16, 200)
    episode = 60 if task == "acrobot_swingup_sparse" else 600  # acrobot is near its goal at starts only
    env = make(DmControlConfig(task=task, episode_steps=episode), n_envs, threads=2)
    env.reseed(list(range(n_envs)))
    env.reset()
    theirs = suite.load(TASKS[task].domain, TASKS[task].name)
    theirs.reset()
    rng, slices, looked = np.random.default_rng(0), env._observations.slices, {True: 0, False: 0}
    for step in range(steps):
        if step % 10 == 0:
            actions = rng.uniform(-1, 1, (n_envs, *env.action_space.shape)).astype(np.float32)
        observations, rewards, dones, _ = env.step(actions)
        for i in one_of_each(rewards > 0) if not dones.any() else ():
            state = {name: observations[i, part].astype(np.float64) for name, part in slices.items()}
            with theirs.physics.reset_context():
                PUT[TASKS[task].domain](theirs.physics, state)
                theirs.physics.data.qvel[:] = state["velocity"]
            assert theirs.task.get_reward(theirs.physics) == pytest.approx(rewards[i], abs=1e-3)
            looked[bool(rewards[i] > 0)] += 1
    assert looked[False] > 50 and looked[True] >= 4


def one_of_each(paid: np.ndarray) -> list[int]:
    return [int(i) for half in (paid, ~paid) for i in np.flatnonzero(half)[-1:]]


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
