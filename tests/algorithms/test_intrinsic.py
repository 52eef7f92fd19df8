"""The wrapper's bookkeeping, against environments whose every step is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor
from support.scripted import LoggingReward, ScriptedVecEnv
from support.specs import make_spec

from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.nn.moments import ReturnNormaliser
from harness.registry import installed
from harness.rewards import Transitions
from harness.spec import Combination
from harness.training.assembly import assemble


def script(n_envs: int, n_steps: int, seed: int, p: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    terminated = rng.random((n_steps, n_envs)) < p
    return terminated, (rng.random((n_steps, n_envs)) < p) & ~terminated


def wrapped(n_envs: int, n_steps: int, seed: int, mode: str = "two_critics", rollout: int = 5, **combine: float):
    env = ScriptedVecEnv(*script(n_envs, n_steps, seed), rewards=np.random.default_rng(seed).normal(size=(n_steps, n_envs)))
    reward = LoggingReward(n_envs)
    return env, reward, IntrinsicRewardVecEnv(env, reward, rollout, Combination(mode=mode, **combine))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 25), st.integers(1, 7), st.integers(0, 10_000))
def test_transitions_never_cross_an_episode_boundary(n_envs: int, n_steps: int, rollout: int, seed: int) -> None:
    env, reward, bonus_env = wrapped(n_envs, n_steps, seed, rollout=rollout)
    bonus_env.reset()
    for _ in range(n_steps):
        bonus_env.step(np.zeros(n_envs, dtype=np.int64))
    seen = [transitions for name, transitions in reward.calls if name == "bonus"]
    assert len(seen) == n_steps
    for row, transitions in enumerate(seen):
        obs, next_obs = transitions.obs.numpy(), transitions.next_obs.numpy()
        np.testing.assert_array_equal(obs[:, 0], np.arange(n_envs))
        np.testing.assert_array_equal(obs[:, 1], next_obs[:, 1])  # the same episode
        np.testing.assert_array_equal(obs[:, 2] + 1, next_obs[:, 2])  # one step on: the true last observation, no reset
        np.testing.assert_array_equal(transitions.terminated.numpy(), env.terminated[row])
        np.testing.assert_array_equal(transitions.truncated.numpy(), env.truncated[row])
        np.testing.assert_allclose(transitions.reward.numpy(), env.rewards[row].astype(np.float32))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3), st.integers(0, 10_000))
def test_update_gets_each_rollout_once_in_time_order(n_envs: int, rollout: int, n_rollouts: int, seed: int) -> None:
    _, reward, bonus_env = wrapped(n_envs, 17, seed, rollout=rollout)
    bonus_env.reset()
    for step in range(rollout * n_rollouts):
        bonus_env.step(np.full(n_envs, step % 3))
    updates = [transitions for name, transitions in reward.calls if name == "update"]
    steps = [transitions for name, transitions in reward.calls if name == "bonus"]
    assert len(updates) == n_rollouts
    for number, update in enumerate(updates):
        of_rollout = steps[number * rollout : (number + 1) * rollout]
        for field in ("obs", "next_obs", "action", "reward", "terminated", "truncated", "env_index"):
            expected = torch.cat([getattr(transitions, field) for transitions in of_rollout])
            assert torch.equal(getattr(update, field), expected), field


def test_order_of_calls_within_a_rollout() -> None:
    _, reward, bonus_env = wrapped(3, 10, seed=1, rollout=2)
    bonus_env.reset()
    for _ in range(4):
        bonus_env.step(np.zeros(3, dtype=np.int64))
    assert [name for name, _ in reward.calls] == ["observe", "bonus", "observe", "bonus", "update"] * 2


def test_sum_adds_the_weighted_bonus() -> None:
    env, reward, bonus_env = wrapped(4, 12, seed=2, mode="sum", extrinsic_weight=2.0, intrinsic_weight=0.5)
    bonus_env.reset()
    for row in range(12):
        _, rewards, _, _ = bonus_env.step(np.zeros(4, dtype=np.int64))
        bonus = reward.calls[-1][1].next_obs if reward.calls[-1][0] == "bonus" else reward.calls[-2][1].next_obs
        expected = 2 * env.rewards[row] + 0.5 * (bonus.numpy() @ np.array([1000, 10, 1]))
        np.testing.assert_allclose(rewards, expected.astype(np.float32), rtol=1e-6)
        assert rewards.dtype == np.float32


def test_two_critics_leaves_the_reward_alone_and_keeps_the_bonuses() -> None:
    env, reward, bonus_env = wrapped(4, 5, seed=3, rollout=5)
    bonus_env.reset()
    expected = []
    for row in range(5):
        _, rewards, _, _ = bonus_env.step(np.zeros(4, dtype=np.int64))
        np.testing.assert_allclose(rewards, env.rewards[row].astype(np.float32))
        transitions = [transitions for name, transitions in reward.calls if name == "bonus"][-1]
        expected.append(transitions.next_obs.numpy() @ np.array([1000, 10, 1], dtype=np.float32))
    np.testing.assert_array_equal(bonus_env.rollout_bonuses(), np.stack(expected))


def test_rollout_statistics_include_the_rollout_that_they_normalise() -> None:
    _, reward, bonus_env = wrapped(3, 7, seed=4, rollout=7)
    reward.normaliser = ReturnNormaliser(3, gamma=0.9)
    bonus_env.reset()
    for _ in range(7):
        bonus_env.step(np.zeros(3, dtype=np.int64))
    raw = bonus_env.bonuses.copy()
    sums, filtered = [], np.zeros(3)
    for bonus in raw:  # over time, one sum per environment
        filtered = 0.9 * filtered + bonus
        sums.append(filtered)
    moments = np.array(sums)
    count = moments.size
    mean = moments.mean() * count / (count + 1e-4)
    var = (1e-4 + moments.var() * count + moments.mean() ** 2 * 1e-4 * count / (count + 1e-4)) / (count + 1e-4)
    np.testing.assert_allclose(bonus_env.rollout_bonuses(), raw / np.sqrt(var), rtol=1e-6)
    np.testing.assert_allclose(reward.normaliser.moments.mean, mean, rtol=1e-9)


class ConstantReward(LoggingReward):
    """A bonus of 0.05, everywhere and always."""

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return torch.full((len(transitions),), 0.05)


def added_bonuses(start: str, n_envs: int = 4, n_steps: int = 60) -> np.ndarray:
    never = np.zeros((n_steps, n_envs), dtype=bool)
    reward = ConstantReward(n_envs)
    reward.normaliser = ReturnNormaliser(n_envs, gamma=0.99)
    combine = Combination.model_validate({"mode": "sum", "normaliser_start": start})
    bonus_env = IntrinsicRewardVecEnv(ScriptedVecEnv(never, never), reward, n_steps, combine)
    bonus_env.reset()
    rewards = np.stack([bonus_env.step(np.zeros(n_envs, dtype=np.int64))[1] for _ in range(n_steps)])
    np.testing.assert_array_equal(rewards, bonus_env.bonuses)  # no other reward in the script
    return rewards


def test_where_environments_start_alike_the_first_summed_bonus_is_like_later_ones() -> None:
    bonuses, inflated = added_bonuses("horizon"), added_bonuses("prior")
    assert bonuses.max() < 4 * bonuses.min()
    assert bonuses[0].max() < 2 * bonuses[-1].min()
    assert inflated[0].min() > 50 * inflated[-1].max()
    assert Combination(mode="sum").normaliser_start == "horizon"


@pytest.mark.parametrize("start", ["horizon", "prior"])
def test_deep_sea_begins_with_bonuses_like_later_ones(start: str) -> None:
    """All environments begin in the same corner, where RND's errors are equal."""
    small = {"observation_normalisation": "none", "warm_up_steps": 0, "feature_dim": 16, "hidden": [16], "mask": "none"}
    spec = make_spec(reward="rnd", config=small, combine={"mode": "sum", "normaliser_start": start})
    parts = assemble(spec, torch.device("cpu"), installed())
    assert isinstance(parts.bonus_env, IntrinsicRewardVecEnv)
    parts.base.reseed([1, 2, 3, 4])
    parts.learner.begin(spec.steps)
    rollouts = []
    for _ in range(4):
        parts.learner.iterate()
        rollouts.append(parts.bonus_env.bonuses.copy())
    parts.close()
    first, later = rollouts[0][0].max(), np.median(np.concatenate(rollouts[1:]))
    if start == "horizon":
        assert first < 2 * later and rollouts[0].max() < 6 * later
    else:
        assert first > 30 * later


def test_two_critics_have_one_start_only() -> None:
    """What divides a rollout includes it: nothing is inflated, and nothing is to be chosen."""
    assert Combination().normaliser_start == "prior"
    assert "normaliser_start" not in Combination().model_dump()


def test_unmodified_ppo_learns_from_the_sum_and_logs_extrinsic_returns() -> None:
    terminated = np.zeros((4, 2), dtype=bool)
    terminated[3] = True
    env = ScriptedVecEnv(terminated, np.zeros_like(terminated), rewards=np.ones((4, 2)))
    bonus_env = IntrinsicRewardVecEnv(VecMonitor(env), LoggingReward(2), 8, Combination(mode="sum"))
    model = PPO("MlpPolicy", bonus_env, n_steps=8, batch_size=16, n_epochs=1, device="cpu")
    model.learn(32)
    assert type(model) is PPO
    assert {episode["r"] for episode in model.ep_info_buffer} == {4.0}  # four steps of reward 1, no bonus in it
    assert model.rollout_buffer.rewards.max() > 1000  # the bonus is in what PPO learns from


def test_warm_up_is_seen_by_observe_only() -> None:
    _, reward, bonus_env = wrapped(3, 9, seed=5)
    reward.warm_up_steps = 6
    bonus_env.warm_up(seed=1)
    assert [name for name, _ in reward.calls] == ["observe"] * 6
    actions = torch.stack([transitions.action for _, transitions in reward.calls])
    assert actions.shape == (6, 3)
    assert len(actions.unique()) > 1


def test_dictionary_observations_are_refused_with_advice() -> None:
    _, _, bonus_env = wrapped(2, 3, seed=6)
    with pytest.raises(TypeError, match="flatten"):
        bonus_env._to_transitions({"a": np.zeros(2)}, np.zeros(2), np.zeros(2, dtype=bool), [{}, {}])  # type: ignore[arg-type]
