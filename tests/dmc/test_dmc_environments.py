"""Every task keeps what `HarnessVecEnv` promises: spaces, seeds, ends of episodes, terminal observations."""

from __future__ import annotations

import numpy as np
import pytest

from harness import NO_INFO, HarnessVecEnv
from harness_dm_control.config import DmControlConfig
from harness_dm_control.environment import make
from harness_dm_control.tasks import SPARSE, TASKS

LIGHT = SPARSE | {"cheetah_run", "walker_run", "point_mass_easy", "quadruped_run"}
EPISODE = 125
STEPS = 500  # of two environments: a thousand


@pytest.fixture
def rendering(renderer: str) -> None:
    if not renderer:
        pytest.skip("no OpenGL here: images are tested where there is one")


def actions_of(env: HarnessVecEnv, steps: int, seed: int = 0) -> np.ndarray:
    shape = (steps, env.num_envs, *env.action_space.shape)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def trajectory(env: HarnessVecEnv, seeds: list[int], actions: np.ndarray) -> list[np.ndarray]:
    env.reseed(seeds)
    return [env.reset(), *(array for row in actions for array in env.step(row)[:3])]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def tasks_with_marks() -> list:
    return [pytest.param(task, marks=[] if task in LIGHT else [pytest.mark.slow]) for task in TASKS]


@pytest.mark.parametrize("task", tasks_with_marks())
def test_a_thousand_random_steps(task: str):
    env = make(DmControlConfig(task=task, episode_steps=EPISODE), 2)
    actions = actions_of(env, STEPS)
    env.reseed([5, 6])
    first, seen = env.reset(), []
    assert first.dtype == env.observation_space.dtype and env.observation_space.contains(first[0])
    for step, row in enumerate(actions, start=1):
        observations, rewards, dones, infos = env.step(row)
        assert (observations.shape, observations.dtype) == (first.shape, first.dtype)
        assert (rewards.shape, rewards.dtype, dones.dtype) == ((2,), np.float32, np.bool_)
        assert np.isfinite(observations).all() and np.isfinite(rewards).all()
        assert dones.tolist() == [step % EPISODE == 0] * 2
        assert all((info is NO_INFO) == (not done) for info, done in zip(infos, dones, strict=True))
        seen.append((observations, rewards, dones, infos))
    uncut = make(DmControlConfig(task=task, episode_steps=10 * EPISODE), 2)
    uncut.reseed([5, 6])
    assert np.array_equal(uncut.reset(), first)
    for row, (observations, rewards, dones, _) in zip(actions[:EPISODE], seen, strict=False):
        true, true_rewards, _, _ = uncut.step(row)
        assert np.array_equal(rewards, true_rewards)
        if not dones[0]:
            assert np.array_equal(observations, true)
    for i, info in enumerate(seen[EPISODE - 1][3]):
        assert np.array_equal(info["terminal_observation"], true[i]) and info["TimeLimit.truncated"] is True
        assert not np.array_equal(observations[i], true[i])
    flat = [array for step in seen for array in step[:3]]
    assert same(trajectory(env, [5, 6], actions), [first, *flat])
    env.close()
    uncut.close()


def test_repeats_count_towards_the_episode_and_the_last_step_is_short():
    with_repeat = make(DmControlConfig(task="cartpole_swingup", action_repeat=3, episode_steps=10), 2)
    by_hand = make(DmControlConfig(task="cartpole_swingup", episode_steps=10), 2)
    for env in (with_repeat, by_hand):
        env.reseed([1, 2])
        env.reset()
    for row, repeats in zip(actions_of(with_repeat, 4), (3, 3, 3, 1), strict=True):
        observations, rewards, dones, _ = with_repeat.step(row)
        steps = [by_hand.step(row) for _ in range(repeats)]
        assert np.array_equal(observations, steps[-1][0])
        assert np.allclose(rewards, sum(step[1] for step in steps))
        assert dones.tolist() == steps[-1][2].tolist() == [repeats == 1] * 2


def test_sparse_tasks_tell_when_they_first_found_a_reward():
    env = make(DmControlConfig(task="ball_in_cup_catch", episode_steps=60), 16)
    env.enable_metrics()
    env.reseed(list(range(16)))
    env.reset()
    rewards, infos = np.zeros((60, 16)), []
    for step, row in enumerate(actions_of(env, 60)):
        _, rewards[step], _, infos = env.step(row)
    found = [info["metrics"] for info in infos]
    assert {metrics["success"] for metrics in found} == {0.0, 1.0}
    for i, metrics in enumerate(found):
        steps = np.flatnonzero(rewards[:, i]) + 1
        assert metrics == {"success": float(len(steps) > 0), "time_to_first_reward": float(steps[0] if len(steps) else 60)}


def test_dense_tasks_have_no_metrics():
    env = make(DmControlConfig(task="cartpole_swingup", episode_steps=1), 1)
    env.enable_metrics()
    env.reset()
    assert "metrics" not in env.step(np.zeros((1, 1), np.float32))[3][0]


def test_pixels_keep_the_promises(rendering: None):
    config = DmControlConfig(task="reacher_easy", from_pixels=True, action_repeat=2, episode_steps=7, size=32)
    env = make(config, 2)
    env.enable_metrics()
    actions = actions_of(env, 6)
    reference = trajectory(env, [1, 2], actions)
    first, *steps = reference
    assert env.frame_channels == 3 and first.shape == (2, 9, 32, 32) and first.dtype == np.uint8
    assert env.observation_space.contains(first[0]) and not np.array_equal(first[0], first[1])
    assert np.array_equal(first[:, :3], first[:, 3:6]) and np.array_equal(first[:, :3], first[:, 6:])
    assert np.array_equal(steps[0][:, :6], first[:, 3:]) and not np.array_equal(steps[0][:, 6:], first[:, 6:])
    assert [done.tolist() for done in steps[2::3]] == [[False] * 2] * 3 + [[True] * 2] + [[False] * 2] * 2
    assert np.array_equal(steps[9][:, :3], steps[9][:, 6:])  # a new episode begins with one image
    assert same(trajectory(env, [1, 2], actions), reference)
    env.reseed([2, 1])
    assert not np.array_equal(env.reset(), first)
    env.close()
    env.close()


def test_pixels_show_the_true_last_image_and_sum_rewards(rendering: None):
    cut = make(DmControlConfig(task="cartpole_swingup", from_pixels=True, episode_steps=5, action_repeat=2, size=32), 1)
    uncut = make(DmControlConfig(task="cartpole_swingup", from_pixels=True, stack=1, size=32), 1)
    for env in (cut, uncut):
        env.reseed([3])
        env.reset()
    for row, repeats in zip(actions_of(cut, 3), (2, 2, 1), strict=True):
        observations, rewards, dones, infos = cut.step(row)
        true = [uncut.step(row) for _ in range(repeats)]
        assert rewards[0] == pytest.approx(sum(step[1][0] for step in true))
    assert dones[0] and infos[0]["TimeLimit.truncated"] is True
    assert np.array_equal(infos[0]["terminal_observation"][-3:], true[-1][0][0])
    assert not np.array_equal(observations[0, -3:], true[-1][0][0])
    cut.close()
    uncut.close()


def test_observations_from_pixels_may_be_kept(rendering: None):
    env = make(DmControlConfig(task="cartpole_swingup", from_pixels=True, size=16), 1)
    env.reset()
    kept = [env.step(row)[0] for row in actions_of(env, 3)]
    copies = [observations.copy() for observations in kept]
    env.step(actions_of(env, 1)[0])
    assert same(kept, copies)
    env.close()
