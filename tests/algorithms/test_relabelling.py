"""Sampled batches carry the bonus of the moment, on true last observations, in any off-policy algorithm of SB3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import DQN, SAC, TD3
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize
from support.scripted import LoggingReward, ScriptedVecEnv

from harness.algorithms.learner_view import LearnerVecEnv
from harness.algorithms.off_policy.relabelling import RelabelledReplayBuffer, RelabellingVecEnv
from harness.config import EnvironmentConfig
from harness.nn.moments import ReturnNormaliser
from harness.rewards import Transitions
from harness.spec import Combination

TERMINATED = np.array([[0, 0], [1, 0], [0, 0], [0, 0], [0, 1]], dtype=bool)
TRUNCATED = np.array([[0, 0], [0, 1], [0, 0], [1, 0], [0, 0]], dtype=bool)
REWARDS = np.arange(10.0).reshape(5, 2)
N_STEPS = 20


class ContinuousVecEnv(ScriptedVecEnv):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.action_space = spaces.Box(np.array([-2, 0], np.float32), np.array([2, 1], np.float32))


def collected(
    algorithm: type[Any],
    *,
    time_limit: Any = "truncates",
    cut: int = 0,
    normalise: bool = False,
    **combine: Any,
) -> tuple[Any, LoggingReward, RelabellingVecEnv]:
    """An unmodified algorithm after `N_STEPS` steps of two scripted environments and two gradient steps."""
    base = (ScriptedVecEnv if algorithm is DQN else ContinuousVecEnv)(TERMINATED, TRUNCATED, REWARDS)
    view = LearnerVecEnv(VecMonitor(base), base, EnvironmentConfig(time_limit=time_limit))
    if cut:
        view.truncate_after(cut, [1, 2])
    reward = LoggingReward(2)
    if normalise:
        reward.normaliser = ReturnNormaliser(2, 0.9)
    env = RelabellingVecEnv(view, reward, Combination(mode="sum", **combine))
    model = algorithm(
        "MlpPolicy",
        env,  # type: ignore[call-arg, arg-type]
        learning_starts=2 * (N_STEPS - 2),
        batch_size=64,
        buffer_size=100,
        replay_buffer_class=RelabelledReplayBuffer,
        replay_buffer_kwargs={"bonus_env": env},
        policy_kwargs={"net_arch": [8]},
        train_freq=1,
        seed=0,
        device="cpu",
    )
    model.learn(2 * N_STEPS)
    return model, reward, env


def batches(reward: LoggingReward) -> list[Transitions]:
    return [transitions for call, transitions in reward.calls if call == "bonus"]


def by_hand(observations: torch.Tensor) -> torch.Tensor:
    return observations @ torch.tensor([1000.0, 10.0, 1.0])


@pytest.mark.parametrize("algorithm", [SAC, TD3, DQN])
def test_any_algorithm_learns_from_the_sum_on_true_last_observations(algorithm):
    model, reward, _ = collected(algorithm, extrinsic_weight=2.0, intrinsic_weight=0.5)
    assert model.replay_buffer is not None
    assert model._n_updates > 0
    np.testing.assert_array_equal(model.replay_buffer.rewards[:N_STEPS], np.tile(REWARDS, (4, 1)))  # stored as they came
    sampled = model.replay_buffer.sample(256)
    (seen,) = batches(reward)[-1:]
    torch.testing.assert_close(sampled.rewards.squeeze(1), 2 * seen.reward + 0.5 * by_hand(seen.next_obs))
    same_episode = sampled.next_observations[:, :2] == sampled.observations[:, :2]
    assert same_episode.all()  # never the first observation of the next episode
    assert torch.equal(sampled.next_observations[:, 2], sampled.observations[:, 2] + 1)
    assert torch.equal(sampled.next_observations, seen.next_obs)
    assert torch.equal(sampled.observations[:, 0].long(), seen.env_index)


def test_terminations_end_returns_and_truncations_and_cuts_do_not():
    model, reward, _ = collected(SAC, cut=18)
    sampled = model.replay_buffer.sample(400)
    seen = batches(reward)[-1]
    row = ((seen.reward - seen.env_index) / 2).long().numpy()  # REWARDS tells which step of the script it was
    env = seen.env_index.numpy()
    assert torch.equal(sampled.dones.squeeze(1).bool(), torch.from_numpy(TERMINATED[row, env]))
    assert torch.equal(seen.terminated, torch.from_numpy(TERMINATED[row, env]))
    steps = seen.truncated.numpy() ^ TRUNCATED[row, env]
    assert set(row[steps]) == {17 % 5}  # the cut and nothing else
    assert steps.any()


def test_a_time_limit_terminates_where_that_is_configured():
    model, reward, _ = collected(SAC, time_limit="terminates")
    sampled = model.replay_buffer.sample(400)
    seen = batches(reward)[-1]
    row, env = ((seen.reward - seen.env_index) / 2).long().numpy(), seen.env_index.numpy()
    assert torch.equal(sampled.dones.squeeze(1).bool(), torch.from_numpy((TERMINATED | TRUNCATED)[row, env]))
    assert not seen.truncated.any()


def test_the_method_sees_every_step_once_and_every_batch_in_order():
    _, reward, _ = collected(SAC)
    calls = [call for call, _ in reward.calls]
    assert calls.count("observe") == N_STEPS
    assert calls[-3:] == ["observe", "update", "bonus"]
    assert all(len(batch) == 64 for batch in batches(reward))
    taken = reward.calls[0][1].action
    assert taken.shape == (2, 2)
    assert taken.dtype == torch.float32


def test_actions_of_a_batch_are_those_that_were_taken():
    model, reward, _ = collected(SAC)
    steps = torch.cat([torch.cat([t.obs, t.action], 1) for call, t in reward.calls if call == "observe"])
    model.replay_buffer.sample(32)
    batch = batches(reward)[-1]
    rows = torch.cat([batch.obs, batch.action], 1)
    distance = (rows[:, None] - steps[None]).abs().amax(2).amin(1)
    assert distance.max() < 1e-5
    assert batch.action[:, 0].abs().max() > 1  # not scaled to [-1, 1]


def test_discrete_actions_of_a_batch_are_whole_numbers():
    _, reward, _ = collected(DQN)
    batch = batches(reward)[-1]
    assert (batch.action.dtype, batch.action.shape) == (torch.int64, (64,))


def test_the_normaliser_runs_over_fresh_transitions_only():
    model, reward, env = collected(SAC, normalise=True, extrinsic_weight=0.0)
    expected = ReturnNormaliser(2, 0.9)
    for step in [transitions for call, transitions in reward.calls if call == "observe"]:
        expected.normalise_step(by_hand(step.next_obs), start="horizon")
    assert reward.normaliser is not None
    assert torch.equal(reward.normaliser.moments.var, expected.moments.var)
    env.pop_metrics()
    sampled = model.replay_buffer.sample(100)
    assert torch.equal(reward.normaliser.moments.var, expected.moments.var)
    bonus = by_hand(batches(reward)[-1].next_obs) / expected.moments.std
    torch.testing.assert_close(sampled.rewards.squeeze(1), bonus.float())
    metrics = env.pop_metrics()
    assert metrics["bonus_mean"] == pytest.approx(float(bonus.mean()), rel=1e-5)
    assert metrics["bonus_std"] == pytest.approx(float(bonus.std(correction=0)), rel=1e-4)
    assert (metrics["bonus_min"], metrics["bonus_max"]) == pytest.approx((float(bonus.min()), float(bonus.max())))
    assert metrics["size"] == 100


def test_metrics_are_of_all_batches_since_they_were_last_asked_for():
    model, _, env = collected(SAC)
    env.pop_metrics()
    assert env.pop_metrics() == {}
    for size in (10, 30):
        model.replay_buffer.sample(size)
    assert env.pop_metrics()["size"] == 20


def test_entering_a_phase_changes_weights_and_whether_the_method_learns():
    model, reward, env = collected(SAC)
    del reward.calls[:]
    env.set_phase(0.0, 3.0, train_reward=False)
    sampled = model.replay_buffer.sample(50)
    assert [call for call, _ in reward.calls] == ["bonus"]
    torch.testing.assert_close(sampled.rewards.squeeze(1), 3 * by_hand(batches(reward)[-1].next_obs))
    env.set_phase(1.0, 0.0, train_reward=True)
    sampled = model.replay_buffer.sample(50)
    assert [call for call, _ in reward.calls] == ["bonus", "update", "bonus"]
    assert torch.equal(sampled.rewards.squeeze(1), batches(reward)[-1].reward)


def test_sb3s_own_normalisation_is_for_the_learner_and_not_for_the_method():
    model, reward, env = collected(SAC)
    buffer = model.replay_buffer
    assert isinstance(buffer, RelabelledReplayBuffer)
    outer = VecNormalize(env, norm_reward=False)
    outer.obs_rms.mean, outer.obs_rms.var = np.array([1.0, 2.0, 3.0]), np.full(3, 4.0)
    sampled = buffer.sample(20, env=outer)
    raw = batches(reward)[-1].obs
    torch.testing.assert_close(sampled.observations, ((raw - torch.tensor([1.0, 2.0, 3.0])) / 2).float(), rtol=1e-4, atol=1e-4)


def test_memory_saving_buffers_give_the_same_next_observations():
    env = RelabellingVecEnv(ScriptedVecEnv(TERMINATED[:1], TRUNCATED[:1]), LoggingReward(2), Combination(mode="sum"))
    made = [
        RelabelledReplayBuffer(
            50, env.observation_space, env.action_space, "cpu", n_envs=2, bonus_env=env, optimize_memory_usage=saving,
            handle_timeout_termination=False,
        )
        for saving in (False, True)
    ]  # fmt: skip
    obs = env.reset()
    for _ in range(10):
        next_obs, rewards, dones, infos = env.step(np.zeros(2, dtype=int))
        for buffer in made:
            buffer.add(obs, next_obs, np.zeros((2, 1)), rewards, dones, infos)  # type: ignore[arg-type]
        obs = next_obs
    found = []
    for buffer in made:
        np.random.seed(0)
        found.append(buffer.sample(30))
    assert torch.equal(found[0].next_observations, found[1].next_observations)
    assert torch.equal(found[0].rewards, found[1].rewards)


def test_two_critics_are_not_for_replay():
    with pytest.raises(ValueError, match="needs an on-policy algorithm"):
        RelabellingVecEnv(ScriptedVecEnv(TERMINATED, TRUNCATED), LoggingReward(2), Combination(mode="two_critics"))
