"""DeepSea keeps the promises of `HarnessVecEnv`: ends, infos, fresh arrays, seeds, exact states."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from harness.environments.base import NO_INFO
from harness_deep_sea.config import DeepSeaConfig
from harness_deep_sea.environment import DeepSeaVecEnv, make


def rollout(environment: DeepSeaVecEnv, actions: np.ndarray) -> list[tuple]:
    """All that is seen while the actions, ``(T, N)``, are taken."""
    return [environment.step(each) for each in actions]


def assert_same(ours: list[tuple], theirs: list[tuple]) -> None:
    for (observations, rewards, dones, infos), other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(observations, other[0])
        np.testing.assert_array_equal(rewards, other[1])
        np.testing.assert_array_equal(dones, other[2])
        assert [info.get("metrics") for info in infos] == [info.get("metrics") for info in other[3]]


def random_actions(steps: int, n_envs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, (steps, n_envs))


def test_every_episode_terminates_after_size_steps_at_the_null_observation() -> None:
    environment = make(DeepSeaConfig(size=4), 3)
    first = environment.reset()
    assert first.shape == (3, 16)
    for step, (observations, rewards, dones, infos) in enumerate(rollout(environment, random_actions(12, 3)), start=1):
        assert (observations.dtype, rewards.dtype, dones.dtype) == (np.float32, np.float32, np.bool_)
        np.testing.assert_array_equal(observations.sum(1), 1)
        if step % 4:
            assert not dones.any()
            assert all(info is NO_INFO for info in infos)
            continue
        assert dones.all()
        np.testing.assert_array_equal(observations, first)
        for info in infos:
            assert info["TimeLimit.truncated"] is False
            np.testing.assert_array_equal(info["terminal_observation"], np.zeros(16, np.float32))
    assert NO_INFO == {}


def test_what_is_returned_may_be_kept() -> None:
    environment = make(DeepSeaConfig(size=3), 2)
    kept = [(environment.reset(), None)] + [step[:2] for step in rollout(environment, random_actions(3, 2))]
    copies = [tuple(None if array is None else array.copy() for array in arrays) for arrays in kept]
    rollout(environment, random_actions(7, 2, seed=1))
    for arrays, before in zip(kept, copies, strict=True):
        np.testing.assert_equal(arrays, before)


def test_metrics_tell_how_far_an_episode_came() -> None:
    environment = make(DeepSeaConfig(size=5, randomize_actions=False), 4)
    environment.reset()
    plans = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 1]]).T
    infos = rollout(environment, plans)[-1][3]
    assert [info["metrics"] for info in infos] == [
        {"success": 1.0, "rightmost": 1.0, "bad_episode": 0.0},
        {"success": 0.0, "rightmost": 1.0, "bad_episode": 1.0},
        {"success": 0.0, "rightmost": 0.5, "bad_episode": 1.0},
        {"success": 0.0, "rightmost": 1.0, "bad_episode": 1.0},
    ]


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(2, 8), deterministic=st.booleans(), before=st.integers(0, 300), seeds=st.lists(st.integers(0, 2**31 - 1))
)
def test_a_state_restores_exactly(size: int, deterministic: bool, before: int, seeds: list[int]) -> None:
    config, n_envs = DeepSeaConfig(size=size, deterministic=deterministic), max(1, len(seeds))
    unbroken = DeepSeaVecEnv(config, n_envs)
    if seeds:
        unbroken.reseed(seeds)
    unbroken.reset()
    rollout(unbroken, random_actions(before, n_envs))
    state = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in unbroken.state_dict().items()}
    resumed = DeepSeaVecEnv(config, n_envs)
    resumed.load_state_dict(json.loads(json.dumps(state)))
    after = random_actions(40 * size, n_envs, seed=1)
    assert_same(rollout(unbroken, after), rollout(resumed, after))


def test_a_state_is_not_changed_by_later_steps() -> None:
    environment = make(DeepSeaConfig(size=5), 3)
    environment.reset()
    state = environment.state_dict()
    before = {key: np.copy(value) for key, value in state.items()}
    rollout(environment, random_actions(3, 3))
    np.testing.assert_equal(state, before)
    environment.load_state_dict(state)
    rollout(environment, random_actions(3, 3))
    np.testing.assert_equal(state, before)


def test_each_environment_depends_on_its_own_seed_alone() -> None:
    config = DeepSeaConfig(size=4, deterministic=False)
    actions = np.repeat(random_actions(80, 1), 3, axis=1)

    def rewards(seeds: list[int], *, warm_up: int = 0) -> np.ndarray:
        environment = make(config, 3)
        rollout(environment, actions[:warm_up])
        environment.reseed(seeds)
        environment.reset()
        return np.array([step[1] for step in rollout(environment, actions)])

    first = rewards([7, 8, 9])
    np.testing.assert_array_equal(rewards([9, 7, 8], warm_up=10), first[:, [2, 0, 1]])
    assert not np.array_equal(first[:, 0], first[:, 1])


def test_reset_without_seeds_begins_a_new_episode() -> None:
    environment = make(DeepSeaConfig(size=6, deterministic=False), 50)
    environment.reseed(range(50))
    actions = np.zeros((6, 50), int)
    first = environment.reset()
    rewards = rollout(environment, actions)[-1][1]
    rollout(environment, actions[:3])
    np.testing.assert_array_equal(environment.reset(), first)
    assert not np.array_equal(rollout(environment, actions)[-1][1], rewards)


@pytest.mark.parametrize("wrong", [{"size": 1}, {"size": 101}, {"mapping_seed": -1}, {"unscaled_move_cost": -0.1}, {"n": 4}])
def test_impossible_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        DeepSeaConfig(**wrong)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_ppo_of_sb3_learns_the_short_chain() -> None:
    environment = VecMonitor(make(DeepSeaConfig(size=3), 32))
    model = PPO("MlpPolicy", environment, n_steps=15, batch_size=240, n_epochs=4, learning_rate=3e-3, seed=0, device="cpu")
    model.learn(4800)
    assert model.ep_info_buffer is not None
    assert {episode["l"] for episode in model.ep_info_buffer} == {3}
    assert np.mean([episode["r"] for episode in model.ep_info_buffer]) > 0.9
