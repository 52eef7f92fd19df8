"""Mountain cars earn at the goal and nowhere else, and say how far they have explored."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from pydantic import ValidationError

from harness_classic_control.config import ClassicControlConfig
from harness_classic_control.environment import GOAL, HIGH, LOW, make


def rocking(observations: np.ndarray, task: str) -> np.ndarray:
    """Push the way the car moves: the policy that everybody finds by thinking."""
    right = observations[:, 1] >= 0
    return np.where(right, 2, 0) if task == "mountain_car" else np.where(right, 1.0, -1.0)[:, None].astype(np.float32)


@pytest.mark.parametrize("task", GOAL)
@pytest.mark.parametrize("sparse", [True, False])
def test_rewards_and_ends_of_a_car_that_gets_there(task: str, sparse: bool):
    env = make(ClassicControlConfig(task=task, sparse=sparse), 8)  # type: ignore[arg-type]
    env.enable_metrics()
    env.reseed(list(range(8)))
    observations, ended = env.reset(), 0
    total = np.zeros(8)
    for _ in range(200):
        before = observations
        actions = rocking(before, task)
        observations, rewards, dones, infos = env.step(actions)
        total += rewards
        for i in np.flatnonzero(dones):
            last = LOW + (infos[i]["terminal_observation"] + 1) / 2 * (HIGH - LOW)
            there = bool(last[0] >= GOAL[task] - 1e-6)
            assert infos[i]["metrics"]["success"] == float(there) and infos[i]["TimeLimit.truncated"] is not there
            if sparse:
                assert total[i] == there
            elif task == "mountain_car":
                assert total[i] == -infos[i]["metrics"]["time_to_first_reward"]
            else:
                assert total[i] == pytest.approx(100 * there - 0.1 * infos[i]["metrics"]["time_to_first_reward"], abs=1e-3)
            assert 0.05 < infos[i]["metrics"]["coverage"] < 0.5
            total[i], ended = 0, ended + there
    assert ended >= 8


@pytest.mark.parametrize("task", GOAL)
def test_it_is_gymnasiums_car(task: str):
    name = {"mountain_car": "MountainCar-v0", "mountain_car_continuous": "MountainCarContinuous-v0"}[task]
    reference = gymnasium.make(name).unwrapped
    reference.reset(seed=0)
    env = make(ClassicControlConfig(task=task, sparse=False, scaled=False), 1)  # type: ignore[arg-type]
    reference.state = env.reset()[0].astype(np.float64)
    for _ in range(60):
        action = rocking(np.array([reference.state]), task)[0]
        shown, rewards, _, _ = env.step(np.array([action]))
        true, reward, *_ = reference.step(action)
        np.testing.assert_allclose(shown[0], true, atol=1e-5)
        assert rewards[0] == pytest.approx(reward, abs=1e-6)


def test_scaled_observations_are_shares_of_the_range():
    config = ClassicControlConfig(task="mountain_car")
    scaled, plain = make(config, 4), make(config.model_copy(update={"scaled": False}), 4)
    for env in (scaled, plain):
        env.reseed([1, 2, 3, 4])
    np.testing.assert_allclose(scaled.reset(), 2 * (plain.reset() - LOW) / (HIGH - LOW) - 1, atol=1e-6)
    assert config.actions == "discrete" and ClassicControlConfig(task="mountain_car_continuous").actions == "continuous"


def test_a_car_that_stands_covers_little_and_is_cut():
    env = make(ClassicControlConfig(task="mountain_car", episode_steps=50), 2)
    env.enable_metrics()
    env.reset()
    infos: list = [env.step(np.ones(2, np.int64))[3] for _ in range(50)][-1]
    for info in infos:
        assert info["TimeLimit.truncated"] is True
        assert info["metrics"] == {"success": 0.0, "time_to_first_reward": 50.0, "coverage": info["metrics"]["coverage"]}
        assert info["metrics"]["coverage"] < 0.05


def test_other_tasks_are_refused():
    with pytest.raises(ValidationError, match="mountain_car"):
        ClassicControlConfig.model_validate({"task": "cartpole"})
