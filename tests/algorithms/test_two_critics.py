"""Two streams: what each bootstraps from at every kind of episode end, and what the update learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor
from support.scripted import LoggingReward, ScriptedVecEnv

from harness import EnvironmentConfig
from harness.algorithms.learner_view import LearnerVecEnv
from harness.algorithms.networks import MultiHeadActorCriticPolicy
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.ppo.two_critics import EXTRINSIC, INTRINSIC, TwoCriticPPO
from harness.spec import Combination


def build(n_envs: int, n_steps: int, seed: int, *, time_limit: str = "truncates", **combine) -> TwoCriticPPO:
    rng = np.random.default_rng(seed)
    terminated, truncated = rng.random((2, n_steps, n_envs)) < 0.25
    base = ScriptedVecEnv(terminated, truncated, rewards=rng.normal(size=(n_steps, n_envs)))
    view = LearnerVecEnv(VecMonitor(base), base, EnvironmentConfig(time_limit=time_limit))
    bonus_env = IntrinsicRewardVecEnv(view, LoggingReward(n_envs), n_steps, Combination(**combine))
    model = TwoCriticPPO(
        MultiHeadActorCriticPolicy,
        bonus_env,
        n_steps=n_steps,
        batch_size=n_envs * n_steps,
        n_epochs=1,
        gamma=0.9,
        device="cpu",
        seed=seed,
        policy_kwargs={"n_value_heads": 2},
    )
    model.base, model.view = base, view
    return model


def collect(model: TwoCriticPPO) -> None:
    _, callback = model._setup_learn(10_000, None)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)


def value(model: TwoCriticPPO, observation: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.policy.predict_values(torch.as_tensor(observation, dtype=torch.float32)[None]).numpy()[0]


def direct_returns(model: TwoCriticPPO, *, episodic: bool, limits_terminate: bool, cut: bool = False) -> np.ndarray:
    """Lambda-returns of both streams by walking forward from every step, one environment at a time."""
    buffer, base = model.rollout_buffer, model.base
    gammas, lam = (model.gamma, model.combine.intrinsic_gamma), model.gae_lambda
    n_steps, n_envs = buffer.buffer_size, buffer.n_envs
    result = np.zeros((n_steps, n_envs, 2))
    for t, n, stream in np.ndindex(result.shape):
        weight, total = 1.0, float(buffer.values[t, n, stream])
        for k in range(t, n_steps):
            terminated = base.terminated[k, n] or (limits_terminate and base.truncated[k, n])
            truncated = base.truncated[k, n] and not terminated
            was_cut = cut and k == n_steps - 1 and not (base.terminated[k, n] or base.truncated[k, n])
            true_last = buffer.observations[k, n] + np.array([0, 0, 1])
            after = buffer.observations[k + 1, n] if k + 1 < n_steps else model._last_obs[n]
            stops = was_cut or ((terminated or truncated) and (stream == EXTRINSIC or episodic))
            if not stops:
                following = value(model, after)[stream]
            elif terminated:
                following = 0.0
            else:
                following = value(model, true_last)[stream]
            delta = buffer.rewards[k, n, stream] + gammas[stream] * following - buffer.values[k, n, stream]
            total += weight * delta
            if stops:
                break
            weight *= gammas[stream] * lam
        result[t, n, stream] = total
    return result


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 4), st.integers(2, 7), st.integers(0, 1000), st.booleans(), st.sampled_from(["truncates", "terminates"]))
def test_returns_of_both_streams(n_envs: int, n_steps: int, seed: int, episodic: bool, time_limit: str) -> None:
    model = build(n_envs, n_steps, seed, time_limit=time_limit, episodic=episodic, intrinsic_gamma=0.8)
    collect(model)
    expected = direct_returns(model, episodic=episodic, limits_terminate=time_limit == "terminates")
    np.testing.assert_allclose(model.rollout_buffer.returns, expected, rtol=2e-4, atol=2e-3)


@pytest.mark.parametrize("episodic", [True, False])
def test_a_checkpoint_cut_bootstraps_both_streams(episodic: bool) -> None:
    model = build(3, 6, 3, time_limit="terminates", episodic=episodic)
    _, callback = model._setup_learn(10_000, None)
    model.view.truncate_after(6, [1, 2, 3])
    model.collect_rollouts(model.env, callback, model.rollout_buffer, 6)
    expected = direct_returns(model, episodic=episodic, limits_terminate=True, cut=True)
    np.testing.assert_allclose(model.rollout_buffer.returns, expected, rtol=2e-4, atol=2e-3)


def test_advantages_are_weighted() -> None:
    model = build(2, 5, 0, extrinsic_weight=2.0, intrinsic_weight=0.5)
    collect(model)
    buffer = model.rollout_buffer
    streams = buffer.returns - buffer.values
    expected = 2 * streams[..., EXTRINSIC] + 0.5 * streams[..., INTRINSIC]
    np.testing.assert_allclose(buffer.advantages, expected, rtol=1e-4, atol=1e-2)


def test_the_last_step_may_be_zero_as_in_the_snd_repository() -> None:
    model = build(2, 5, 0, last_step="zero", episodic=True)
    collect(model)
    assert not model.rollout_buffer.returns[-1].any()
    assert not model.rollout_buffer.advantages[-1].any()
    assert model.rollout_buffer.returns[-2].all()


def test_minibatches_keep_streams_and_steps_together() -> None:
    model = build(3, 4, 1)
    collect(model)
    buffer = model.rollout_buffer
    before = {
        tuple(obs): (v, r) for obs, v, r in zip(*map(flat, (buffer.observations, buffer.values, buffer.returns)), strict=True)
    }
    seen = 0
    for batch in buffer.get(5):
        assert batch.old_values.shape == batch.returns.shape == (len(batch.advantages), 2)
        assert batch.old_log_prob.shape == batch.advantages.shape
        for obs, values, returns in zip(
            batch.observations.numpy(), batch.old_values.numpy(), batch.returns.numpy(), strict=True
        ):
            np.testing.assert_array_equal(before[tuple(obs)][0], values)
            np.testing.assert_array_equal(before[tuple(obs)][1], returns)
            seen += 1
    assert seen == 12


def flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, array.shape[-1])


def test_with_one_stream_switched_off_the_update_is_that_of_sb3() -> None:
    """Weight 0 on the bonus and zero intrinsic returns: policy and extrinsic value move as under SB3's own PPO."""
    arguments = {"n_steps": 6, "batch_size": 12, "n_epochs": 2, "gamma": 0.9, "device": "cpu", "seed": 5, "ent_coef": 0.01}
    rng = np.random.default_rng(0)
    terminated, truncated = rng.random((2, 6, 2)) < 0.2
    rewards = rng.normal(size=(6, 2))

    class Silent(LoggingReward):
        def bonus(self, transitions):
            return super().bonus(transitions) * 0

    base = ScriptedVecEnv(terminated, truncated, rewards)
    bonus_env = IntrinsicRewardVecEnv(base, Silent(2), 6, Combination(intrinsic_weight=0.0))
    ours = TwoCriticPPO(
        MultiHeadActorCriticPolicy, bonus_env, policy_kwargs={"n_value_heads": 2}, max_grad_norm=1e9, **arguments
    )
    theirs = PPO("MlpPolicy", ScriptedVecEnv(terminated, truncated, rewards), max_grad_norm=1e9, **arguments)
    with torch.no_grad():
        ours.policy.value_net.weight[INTRINSIC] = 0
        for name, parameter in theirs.policy.named_parameters():
            own = ours.policy.get_parameter(name)
            parameter.copy_(own[EXTRINSIC : EXTRINSIC + 1] if name.startswith("value_net") else own)
    for model in (ours, theirs):
        model.set_random_seed(1)
        model.learn(12)
    for name, parameter in theirs.policy.named_parameters():
        own = ours.policy.get_parameter(name)
        own = own[EXTRINSIC : EXTRINSIC + 1] if name.startswith("value_net") else own
        torch.testing.assert_close(own, parameter, rtol=1e-4, atol=1e-6, msg=name)


def test_continuous_actions_are_clipped_for_the_environment_only() -> None:
    class Continuous(ScriptedVecEnv):
        def step_async(self, actions):
            super().step_async(actions)
            assert (np.abs(actions) <= 0.1).all()

    ends = np.zeros((4, 2), dtype=bool)
    base = Continuous(ends, ends)
    base.action_space = spaces.Box(-0.1, 0.1, (2,), np.float32)
    bonus_env = IntrinsicRewardVecEnv(base, LoggingReward(2), 4, Combination())
    model = TwoCriticPPO(
        MultiHeadActorCriticPolicy,
        bonus_env,
        policy_kwargs={"n_value_heads": 2},
        n_steps=4,
        batch_size=8,
        device="cpu",
        seed=0,
    )
    model.learn(16)
    assert (np.abs(model.rollout_buffer.actions) > 0.1).any()
