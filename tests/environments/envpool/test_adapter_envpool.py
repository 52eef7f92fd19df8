"""The adapter around real EnvPool: every environment does what it does alone, and nothing stays behind."""

from __future__ import annotations

import gc
from functools import partial
from typing import Any

import numpy as np
import psutil
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from harness.environments.envpool import (
    EnvPoolTask,
    EnvPoolVecEnv,
    FlattenedDict,
    Images,
    Vectors,
    discrete_converter,
    scaled_converter,
)

SEEDS = [11, 7, 400, 2**31 - 1]
KINDS: dict[str, tuple[EnvPoolTask, Any, Any]] = {
    "terminated at random times": (EnvPoolTask("CartPole-v1"), Vectors, discrete_converter),
    "terminated or cut": (EnvPoolTask("CartPole-v1", {"max_episode_steps": 14}), Vectors, discrete_converter),
    "cut together": (EnvPoolTask("Pendulum-v1", {"max_episode_steps": 9}), Vectors, scaled_converter),
    "cut at the first step": (EnvPoolTask("Pendulum-v1", {"max_episode_steps": 1}), Vectors, scaled_converter),
    "dictionaries": (EnvPoolTask("ReacherHard-v1", {"max_episode_steps": 9}), FlattenedDict, scaled_converter),
}
STEPS = 60


def make(kind: str, n_envs: int = 4, *, threads: int = 1) -> EnvPoolVecEnv:
    task, observations, actions = KINDS[kind]
    observation_space, action_space = task.spaces()
    opened = partial(task.open, threads=threads)
    return EnvPoolVecEnv(opened, n_envs, observations(observation_space), actions(action_space))


def actions_of(env: EnvPoolVecEnv, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if hasattr(env.action_space, "n"):
        return rng.integers(0, env.action_space.n, (STEPS, env.num_envs))
    return rng.uniform(-1, 1, (STEPS, env.num_envs, *env.action_space.shape)).astype(np.float32)


def trajectory(env: EnvPoolVecEnv, seeds: list[int]) -> list[np.ndarray]:
    env.reseed(seeds)
    return [env.reset(), *(array for actions in actions_of(env) for array in env.step(actions)[:3])]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_each_environment_does_what_it_does_alone(kind: str):
    """The reference steps EnvPool itself, one environment at a time, and throws its reset steps away."""
    env = make(kind)
    env.reseed(SEEDS)
    shown = [env.reset()]
    actions, steps = actions_of(env), []
    for row in actions:
        steps.append(env.step(row))
        shown.append(steps[-1][0])
    assert sum(dones.sum() for _, _, dones, _ in steps) > 4
    task, observations, convert = KINDS[kind]
    look, act = observations(task.spaces()[0]), convert(task.spaces()[1]).convert
    me = np.array([0], np.int32)
    for i, seed in enumerate(SEEDS):
        pool = task.open([seed], 1)
        assert np.array_equal(look(pool.reset(me)[0])[0], shown[0][i])
        for row, (observation, rewards, dones, infos) in zip(actions, steps, strict=True):
            pool.send(act(row[i : i + 1]), me)
            last, reward, terminated, truncated, _ = pool.recv()
            assert rewards[i] == np.float32(reward[0])
            assert dones[i] == (terminated[0] or truncated[0])
            if dones[i]:
                assert np.array_equal(infos[i]["terminal_observation"], look(last)[0])
                assert infos[i]["TimeLimit.truncated"] is bool(truncated[0])
                pool.send(act(row[i : i + 1]), me)
                last, reward, terminated, truncated, info = pool.recv()
                assert info["elapsed_step"][0] == reward[0] == 0 and not terminated[0] | truncated[0]
            assert np.array_equal(observation[i], look(last)[0])
    env.close()


@pytest.mark.parametrize("kind", KINDS)
def test_trajectory_depends_on_the_seeds_alone(kind: str):
    env, threaded = make(kind), make(kind, threads=2)
    reference = trajectory(env, SEEDS)
    env.reset()
    env.step(actions_of(env, seed=5)[0])
    assert same(trajectory(env, SEEDS), reference)
    assert same(trajectory(threaded, SEEDS), reference)
    assert not same(trajectory(env, SEEDS[::-1]), reference)


def test_observations_may_be_kept():
    task = EnvPoolTask("ReacherHard-v1", {"max_episode_steps": 9})
    pool = task.open([1, 2], 1)
    pool.reset(np.arange(2, dtype=np.int32))
    kept, copies = [], []
    for _ in range(40):
        pool.send(np.ones((2, 2)), np.arange(2, dtype=np.int32))
        kept.append(pool.recv()[0])
        copies.append({name: part.copy() for name, part in kept[-1].items()})
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(kept, copies, strict=True) for name in a)


def test_pixels_come_channel_first():
    task = EnvPoolTask("Pong-v5", {"stack_num": 4, "use_fire_reset": False})
    space, action_space = task.spaces()
    env = EnvPoolVecEnv(partial(task.open, threads=1), 2, Images(space, 1), discrete_converter(action_space))
    first = env.reset()
    observations, rewards, _, _ = env.step(np.zeros(2, np.int64))
    assert env.frame_channels == 1 and first.shape == observations.shape == (2, 4, 84, 84)
    assert first.dtype == np.uint8 and env.observation_space.contains(first[0])
    assert rewards.dtype == np.float32
    env.close()


def test_closing_ends_the_threads():
    gc.collect()
    before = psutil.Process().num_threads()
    env = make("cut together", threads=3)
    env.reset()
    assert psutil.Process().num_threads() >= before + 3
    env.reseed([1, 2, 3, 4])
    env.reset()
    assert psutil.Process().num_threads() <= before + 4  # the first pool is gone
    env.close()
    env.close()
    assert psutil.Process().num_threads() <= before


def test_stable_baselines_learns_in_it():
    env = VecMonitor(make("terminated at random times"))
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=1, seed=0, device="cpu")
    model.learn(512)
    lengths = [episode["l"] for episode in model.ep_info_buffer or []]
    assert len(lengths) > 5 and all(8 <= length <= 500 for length in lengths)
    assert [episode["r"] for episode in model.ep_info_buffer or []] == lengths  # a reset step would earn nothing and count
