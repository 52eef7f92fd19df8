"""What the learner sees: transformed rewards, time limits, cuts."""

from __future__ import annotations

import numpy as np
import pytest
from stable_baselines3.common.vec_env import VecMonitor
from support.scripted import ScriptedVecEnv

from harness import EnvironmentConfig
from harness.algorithms.learner_view import FORCED_TRUNCATION, LearnerVecEnv


def view(env: ScriptedVecEnv, **config: str) -> LearnerVecEnv:
    return LearnerVecEnv(VecMonitor(env), env, EnvironmentConfig(**config))


def no_ends(n_steps: int, n_envs: int) -> np.ndarray:
    return np.zeros((n_steps, n_envs), dtype=bool)


@pytest.mark.parametrize(
    ("transform", "expected"), [("none", [-3.0, 0.0, 7.0]), ("sign", [-1.0, 0.0, 1.0]), ("positive_sign", [0.0, 0.0, 1.0])]
)
def test_rewards_are_transformed_outside_the_monitor(transform: str, expected: list[float]) -> None:
    ends = no_ends(1, 3) | True
    env = view(ScriptedVecEnv(ends, no_ends(1, 3), rewards=np.array([[-3.0, 0.0, 7.0]])), reward_transform=transform)
    env.reset()
    _, rewards, _, infos = env.step(np.zeros(3))
    np.testing.assert_array_equal(rewards, expected)
    assert [info["episode"]["r"] for info in infos] == [-3.0, 0.0, 7.0]


@pytest.mark.parametrize(("time_limit", "truncated"), [("truncates", True), ("terminates", False)])
def test_time_limit(time_limit: str, truncated: bool) -> None:
    limits = no_ends(1, 2)
    limits[0, 1] = True
    env = view(ScriptedVecEnv(no_ends(1, 2), limits), time_limit=time_limit)
    env.reset()
    _, _, dones, infos = env.step(np.zeros(2))
    assert list(dones) == [False, True]
    assert infos[1]["TimeLimit.truncated"] is truncated


def test_a_cut_truncates_every_episode_and_goes_on_from_the_seeds() -> None:
    terminated = no_ends(5, 3)
    terminated[2, 1] = True
    base = ScriptedVecEnv(terminated, no_ends(5, 3))
    env = view(base, time_limit="terminates")
    env.reset()
    env.truncate_after(3, [11, 12, 13])
    for _ in range(2):
        _, _, dones, _ = env.step(np.zeros(3))
        assert not dones.any()
    observations, _, dones, infos = env.step(np.zeros(3))
    assert dones.all()
    assert [info["TimeLimit.truncated"] for info in infos] == [True, False, True]  # the natural end stays what it was
    assert [FORCED_TRUNCATION in info for info in infos] == [True, False, True]
    assert [info["terminal_observation"][2] for info in infos] == [3, 3, 3]
    np.testing.assert_array_equal(observations[:, 2], 0)
    assert base.resets[-1] == [11, 12, 13]
    assert "episode" not in infos[0], "an episode that a checkpoint cut is not logged as one that ended"
    _, _, dones, _ = env.step(np.zeros(3))
    assert not dones.any()
