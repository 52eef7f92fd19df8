"""Tasks whose states do not show all of the physics: their rewards are asked of dm_control at what is observed.

dm_control's own ``get_reward`` reads a few quantities of the physics; these are all in the observation. Where a body's whole
state is in it, as a walker's is, the physics is put there and steps along.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.episodes import first_episodes

from harness_dm_control.config import DmControlConfig
from harness_dm_control.environment import make
from harness_dm_control.tasks import TASKS

pytestmark = pytest.mark.slow
N_ENVS = 4


def recorded(task: str, steps: int) -> tuple[Any, Any, Any]:
    env = make(DmControlConfig(task=task), N_ENVS, threads=2)
    slices = env._observations.slices
    actions = (
        np.random.default_rng(0).uniform(-1, 1, (steps // 10, N_ENVS, *(env.action_space.shape or ()))).repeat(10, axis=0)
    )
    first, episodes = first_episodes(env, list(range(N_ENVS)), actions.astype(np.float32))
    return slices, first.astype(np.float64), episodes


@pytest.mark.parametrize("task", ["walker_stand", "walker_walk", "walker_run"])
def test_a_walker_moves_and_earns_as_in_dm_control(task: str, suite: Any):
    """Every step from EnvPool's state: height, angles of all bodies and velocities are all of it but the place."""
    slices, first, episodes = recorded(task, 100)
    theirs = suite.load(TASKS[task].domain, TASKS[task].name)
    theirs.reset()
    for start, episode in zip(first, episodes, strict=True):
        state = start
        for step in episode:
            with theirs.physics.reset_context():
                put_walker(theirs.physics, {name: state[part] for name, part in slices.items()})
            taken = theirs.step(step.action)
            shown = np.concatenate([np.ravel(part) for part in taken.observation.values()])
            assert np.allclose(step.observation, shown, atol=2e-2, rtol=2e-2)
            assert step.reward == pytest.approx(taken.reward, abs=5e-3)
            state = step.observation.astype(np.float64)


def put_walker(physics: Any, state: dict[str, np.ndarray]) -> None:
    """Absolute angles of torso and legs become those of joints, which turn the other way; right leg, then left."""
    cosines, sines = state["orientations"].reshape(-1, 2).T
    torso, *legs = np.arctan2(sines, cosines)
    joints: list[float] = []
    for leg in (legs[:3], legs[3:]):
        joints += (-np.diff([torso, *leg])).tolist()
    turned = (np.array(joints) + np.pi) % (2 * np.pi) - np.pi
    physics.data.qpos[:] = [0, 0, torso, *turned]
    physics.forward()
    physics.data.qpos[0] += state["height"][0] - physics.torso_height()
    physics.data.qvel[:] = state["velocity"]
    physics.forward()
    assert np.allclose(physics.orientations(), state["orientations"], atol=1e-4)


@pytest.mark.parametrize("task", ["quadruped_walk", "quadruped_run"])
def test_a_quadruped_earns_as_in_dm_control(task: str, suite: Any):
    slices, _, episodes = recorded(task, 400)
    theirs = suite.load(TASKS[task].domain, TASKS[task].name)
    theirs.reset()
    earned = []
    for step in (step for episode in episodes for step in episode):
        seen = {name: step.observation[part].astype(np.float64) for name, part in slices.items()}
        physics = SimpleNamespace(
            torso_upright=lambda seen=seen: seen["torso_upright"][0], torso_velocity=lambda seen=seen: seen["torso_velocity"]
        )
        assert step.reward == pytest.approx(float(theirs.task.get_reward(physics)), abs=1e-4)
        earned.append(step.reward)
    assert max(earned) > 2 * min(earned)


@pytest.mark.parametrize("task", ["quadruped_walk", "quadruped_run"])
def test_quadrupeds_start_as_in_dm_control(task: str, suite: Any):
    """Means and deviations of what is seen first; forces are those of MuJoCo's version and are left out."""
    n_envs = 40
    env = make(DmControlConfig(task=task), n_envs, threads=2)
    env.reseed(list(range(n_envs)))
    ours, slices = np.asarray(env.reset(), np.float64), env._observations.slices
    theirs = suite.load(TASKS[task].domain, TASKS[task].name, task_kwargs={"random": 0})
    other = np.stack([np.concatenate([*map(np.ravel, theirs.reset().observation.values())]) for _ in range(n_envs)])
    for name in ("egocentric_state", "torso_velocity", "torso_upright"):
        a, b = ours[:, slices[name]], other[:, slices[name]]
        error = np.hypot(a.std(0), b.std(0)) / np.sqrt(n_envs)
        assert (np.abs(a.mean(0) - b.mean(0)) <= 4 * error + 1e-3).all(), name
        assert np.allclose(a.std(0), b.std(0), rtol=0.5, atol=2e-3), name
    env.close()
