"""Whatever lengths and ends episodes have, the adapter shows each of their transitions once and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_pool import Ending, ScriptedPool

from harness import NO_INFO
from harness.environments.envpool import EnvPoolVecEnv, FlattenedDict, scaled_converter
from harness.environments.episode_metrics import FirstRewardMetrics

STEPS = 25
ACTION_SPACE = spaces.Box(-1.0, 1.0, (1,), np.float64)
endings = st.builds(Ending, st.integers(1, 5), st.booleans())
scripts = st.lists(st.lists(endings, min_size=1, max_size=6), min_size=1, max_size=5)


def adapter(script: list[list[Ending]], *, in_order: bool = True, action_repeat: int = 1, **options) -> EnvPoolVecEnv:
    names = ("where", "nested.seed", "nested.last_action")
    observations = FlattenedDict(ScriptedPool.observation_space, names)
    env = EnvPoolVecEnv(
        lambda seeds: ScriptedPool(seeds, script, in_order=in_order),
        len(script),
        observations,
        scaled_converter(ACTION_SPACE),
        action_repeat=action_repeat,
        **options,
    )
    env.reseed([1000 + i for i in range(len(script))])
    return env


def alone(env: int, script: list[Ending], actions: np.ndarray, repeat: int):
    """One environment by the definition of an episode: its observation, and for each step what SB3 should see."""
    episode, step = 0, 0

    def seen(action: float) -> list[float]:
        return [env, episode, step, 1000 + env, action]

    first, rows = seen(0), []
    for action in actions:
        reward, ending = 0.0, script[min(episode, len(script) - 1)]
        for _ in range(repeat):
            step += 1
            reward += 100 * episode + step
            if step == ending.length:
                break
        last = seen(action)
        done = step == ending.length
        if done:
            episode, step = episode + 1, 0
        rows.append((seen(0) if done else last, reward, done, last, ending.truncated))
    return first, rows


@given(script=scripts, in_order=st.booleans(), repeat=st.integers(1, 3), seed=st.integers(0, 2**16))
def test_every_environment_sees_what_it_would_alone(script: list[list[Ending]], in_order: bool, repeat: int, seed: int):
    env = adapter(script, in_order=in_order, action_repeat=repeat)
    actions = np.random.default_rng(seed).uniform(-1, 1, (STEPS, len(script), 1)).astype(np.float32)
    expected = [alone(i, script[i], actions[:, i, 0], repeat) for i in range(len(script))]
    kept = [env.reset()]
    assert np.allclose(kept[0], [first for first, _ in expected])
    for step in range(STEPS):
        observations, rewards, dones, infos = env.step(actions[step])
        kept.append(observations)
        assert (observations.dtype, rewards.dtype, dones.dtype) == (np.float32, np.float32, np.bool_)
        for i, (_, rows) in enumerate(expected):
            shown, reward, done, last, truncated = rows[step]
            assert np.allclose(observations[i], shown)
            assert (rewards[i], dones[i]) == (reward, done)
            assert (infos[i] is NO_INFO) == (not done)
            if done:
                assert np.allclose(infos[i]["terminal_observation"], last)
                assert infos[i]["TimeLimit.truncated"] is truncated
                assert infos[i]["terminal_observation"].base is None
    assert all(np.allclose(kept[step + 1][i], rows[step][0]) for i, (_, rows) in enumerate(expected) for step in range(STEPS))
    assert not NO_INFO


def test_only_the_ended_take_a_reset_step():
    pools: list[ScriptedPool] = []

    def opened(seeds: list[int]) -> ScriptedPool:
        pools.append(ScriptedPool(seeds, [[Ending(1, False)], [Ending(9, True)], [Ending(2, False)]]))
        return pools[0]

    env = EnvPoolVecEnv(opened, 3, FlattenedDict(ScriptedPool.observation_space, ("where",)), scaled_converter(ACTION_SPACE))
    env.reset()
    for _ in range(2):
        env.step(np.zeros((3, 1), np.float32))
    assert pools[0].sent == [[0, 1, 2], [0, 1, 2], [0], [0, 1, 2], [0, 2]]


def test_a_step_whose_episodes_all_end_is_repeated_no_further():
    env = adapter([[Ending(1, False)], [Ending(1, True)]], action_repeat=4)
    env.reset()
    _, rewards, dones, _ = env.step(np.zeros((2, 1), np.float32))
    assert dones.all() and rewards.tolist() == [1, 1]


@given(script=scripts, repeat=st.integers(1, 3))
def test_metrics_are_those_of_the_episode_that_ended(script: list[list[Ending]], repeat: int):
    env = adapter(script, action_repeat=repeat, metrics=Longest)
    env.enable_metrics()
    env.reset()
    lengths = np.zeros(len(script), int)
    for _ in range(STEPS):
        _, _, dones, infos = env.step(np.zeros((len(script), 1), np.float32))
        lengths += 1
        for i in np.flatnonzero(dones):
            last = infos[i]["terminal_observation"]
            assert infos[i]["metrics"] == {"steps": lengths[i], "env": i, "last": last[2], "elapsed": last[2]}
        lengths[dones] = 0


class Longest:
    """Echoes what it was shown."""

    def __init__(self, n_envs: int) -> None:
        self.steps, self.where, self.elapsed = np.zeros(n_envs), np.zeros((n_envs, 3)), np.zeros(n_envs)

    def begin(self, envs, observations, info) -> None:
        assert (observations["where"][:, 2] == 0).all() and (info["elapsed_step"] == 0).all()
        self.steps[envs] = 0

    def step(self, observations, rewards, info) -> None:
        self.steps += 1
        self.where, self.elapsed = observations["where"], info["elapsed_step"]

    def metrics(self, env: int) -> dict[str, float]:
        where = self.where[env]
        return {"steps": self.steps[env], "env": where[0], "last": where[2], "elapsed": self.elapsed[env]}


def test_nothing_is_measured_unless_asked_for():
    env = adapter([[Ending(1, False)]], metrics=FirstRewardMetrics)
    env.reset()
    assert "metrics" not in env.step(np.zeros((1, 1), np.float32))[3][0]


def test_first_reward_counts_from_one_and_forgets():
    metrics = FirstRewardMetrics(2)
    metrics.begin(np.array([0, 1]), None, {})
    for rewards in ([0, -1], [0, 2], [1, 0], [1, 0]):
        metrics.step(None, np.array(rewards, float), {})
    assert metrics.metrics(0) == {"success": 1, "time_to_first_reward": 3}
    assert metrics.metrics(1) == {"success": 1, "time_to_first_reward": 2}
    metrics.begin(np.array([1]), None, {})
    metrics.step(None, np.zeros(2), {})
    assert metrics.metrics(1) == {"success": 0, "time_to_first_reward": 1}
    assert metrics.metrics(0) == {"success": 1, "time_to_first_reward": 3}


def test_reseeding_makes_a_new_pool_and_a_plain_reset_does_not():
    seeds: list[list[int]] = []
    script = [[Ending(3, False)], [Ending(3, False)]]

    def opened(given_seeds: list[int]) -> ScriptedPool:
        seeds.append(given_seeds)
        return ScriptedPool(given_seeds, script)

    env = EnvPoolVecEnv(opened, 2, FlattenedDict(ScriptedPool.observation_space, ("where",)), scaled_converter(ACTION_SPACE))
    env.reset()
    assert len(seeds) == 1 and len(set(seeds[0])) == 2  # never the same for all, though nobody has seeded
    env.step(np.zeros((2, 1), np.float32))
    assert env.reset()[:, 1:].tolist() == [[1, 0], [1, 0]]  # the next episode of the same pool
    env.reseed([7, 8])
    assert len(seeds) == 1
    assert env.reset()[:, 1:].tolist() == [[0, 0], [0, 0]]
    assert seeds[1:] == [[7, 8]]


def test_steps_outside_an_open_pool_are_refused():
    env = adapter([[Ending(3, False)]])
    with pytest.raises(RuntimeError, match=r"reset\(\) comes before the first step"):
        env.step(np.zeros((1, 1), np.float32))
    env.reset()
    env.close()
    env.close()
    with pytest.raises(RuntimeError, match=r"nothing comes after close\(\)"):
        env.step(np.zeros((1, 1), np.float32))


def test_strangers_answers_are_refused():
    class Confused(ScriptedPool):
        def recv(self):
            observations, *rest, info = super().recv()
            return observations, *rest, {**info, "env_id": info["env_id"] + 1}

    env = EnvPoolVecEnv(
        lambda seeds: Confused(seeds, [[Ending(3, False)]]),
        1,
        FlattenedDict(ScriptedPool.observation_space),
        scaled_converter(ACTION_SPACE),
    )
    with pytest.raises(RuntimeError, match=r"\[0\] were asked, \[1\] have answered"):
        env.reset()
