"""Adroit is gymnasium-robotics': from the same door, nail, pen or ball the same torques lead to the same views and successes.

The hands agree to single precision as long as nothing collides with a loose object; from then on two versions of MuJoCo part,
as the hammer that drops on its table and the pen in the hand do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.episodes import Step, first_episodes

from harness_manipulation.config import ManipulationConfig
from harness_manipulation.environment import make

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]
SEEDS = range(3)


def door(hand: Any, state: np.ndarray) -> None:
    hand.model.body_pos[hand.door_body_id] += state[32:35] - hand._get_obs()[32:35]


def nail(hand: Any, state: np.ndarray) -> None:
    hand.model.body_pos[hand.target_body_id] += state[42:45] - hand._get_obs()[42:45]


def ball(hand: Any, state: np.ndarray) -> None:
    difference = hand._get_obs() - state
    hand.model.body_pos[hand.obj_body_id] += difference[30:33]
    hand.model.site_pos[hand.target_obj_site_id] += difference[33:36]


def pen(hand: Any, state: np.ndarray) -> None:
    """Two angles that turn the wanted pen as it is seen."""
    import mujoco
    from gymnasium_robotics.utils.rotations import euler2quat
    from scipy.optimize import least_squares

    def turned(angles: np.ndarray) -> np.ndarray:
        hand.model.body_quat[hand.target_obj_body_id] = euler2quat(np.array([*angles, 0]))
        mujoco.mj_forward(hand.model, hand.data)
        return hand._get_obs()[36:39] - state[36:39]

    tries = [least_squares(turned, start) for start in ((0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5))]
    assert np.abs(turned(min(tries, key=lambda found: found.cost).x)).max() < 1e-6


# The original's id, how its object is put in place, and the steps before anything loose is hit.
ORIGINALS: dict[str, tuple[str, Callable[[Any, np.ndarray], None], int]] = {
    "adroit_door": ("AdroitHandDoorSparse-v1", door, 200),
    "adroit_hammer": ("AdroitHandHammerSparse-v1", nail, 5),
    "adroit_pen": ("AdroitHandPenSparse-v1", pen, 4),
    "adroit_relocate": ("AdroitHandRelocateSparse-v1", ball, 100),
}


@pytest.mark.parametrize("task", ORIGINALS)
def test_the_same_happens_in_the_original(task: str, robotics: Callable[..., Any], rng: np.random.Generator):
    name, put, until = ORIGINALS[task]
    env = make(ManipulationConfig(task=task, ends_at_success=False), len(SEEDS), threads=2)
    size = (200, len(SEEDS), *(env.action_space.shape or ()))
    first, episodes = first_episodes(env, list(SEEDS), rng.uniform(-1, 1, size).astype(np.float32))
    theirs = robotics(name)
    hand = theirs.unwrapped
    for start, episode in zip(first.astype(np.float64), episodes, strict=True):
        theirs.reset(seed=0)
        put(hand, start)
        hand.set_state(hand.init_qpos, hand.init_qvel)
        assert np.allclose(hand._get_obs(), start, atol=1e-5)
        for number, step in enumerate(episode, start=1):
            seen, _, terminated, truncated, info = theirs.step(step.action)
            assert (step.terminated, step.truncated) == (terminated, truncated)
            if number <= until:
                assert np.allclose(step.observation, seen, atol=1e-3), f"step {number}"
                assert step.reward == info["success"]
        assert truncated and number == 200
    theirs.close()


@pytest.mark.parametrize("task", ["adroit_pen", "adroit_relocate"])
def test_success_is_what_the_original_calls_so(task: str, rng: np.random.Generator):
    """Everything that the two rules read is seen: distance and direction of the pen, distance of the ball."""
    env = make(ManipulationConfig(task=task, ends_at_success=False), 16, threads=2)
    size = (200, 16, *(env.action_space.shape or ()))
    _, episodes = first_episodes(env, list(range(16)), 0.3 * rng.uniform(-1, 1, size).astype(np.float32))
    steps = [step for episode in episodes for step in episode]
    rule = pen_is_turned if task == "adroit_pen" else ball_is_carried
    assert all(step.reward == rule(step) for step in steps)
    if task == "adroit_pen":
        assert 0 < sum(step.reward for step in steps) < len(steps)


def pen_is_turned(step: Step) -> bool:
    """gymnasium-robotics 1.4.2, envs/adroit_hand/adroit_pen.py."""
    return bool(np.linalg.norm(step.observation[39:42]) < 0.075 and step.observation[33:36] @ step.observation[36:39] > 0.95)


def ball_is_carried(step: Step) -> bool:
    """gymnasium-robotics 1.4.2, envs/adroit_hand/adroit_relocate.py."""
    return bool(np.linalg.norm(step.observation[36:39]) < 0.1)
