"""A bonus around environments that follow Stable-Baselines3 and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecEnv,
    VecEnvWrapper,
    VecFrameStack,
    VecMonitor,
    VecTransposeImage,
)
from support.scripted import LoggingConfig

import harness
from harness.errors import UserError
from harness.registry import installed
from harness.rewards import IntrinsicReward, Spaces, Transitions

LENGTH = 5


class Counting(gymnasium.Env):
    """Observation: every number is the step within the episode; reward 1; five steps, then the end given."""

    def __init__(self, space: spaces.Box, end: str = "terminated") -> None:
        self.observation_space, self.action_space, self.end, self.time = space, spaces.Discrete(2), end, 0

    def seen(self) -> np.ndarray:
        seen = np.full(self.observation_space.shape, self.time, self.observation_space.dtype)
        seen[0] = 100 if seen.ndim == 3 else seen[0]  # the first row of an image tells its axes apart
        return seen

    def reset(self, **_: Any) -> tuple[np.ndarray, dict[str, Any]]:
        self.time = 0
        return self.seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.time += 1
        over = self.time == LENGTH
        return self.seen(), 1.0, over and self.end == "terminated", over and self.end == "truncated", {"extra": 1}


class Recording(IntrinsicReward[LoggingConfig]):
    """The bonus of every transition is 10; remembers what it is shown."""

    def __init__(self, spaces_: Spaces, n_envs: int = 2) -> None:
        super().__init__(LoggingConfig(), spaces_, n_envs, "cpu", seed=0)
        self.observed: list[Transitions] = []
        self.updated: list[int] = []

    def observe(self, transitions: Transitions) -> None:
        self.observed.append(transitions)

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return torch.full((len(transitions),), 10.0)

    def update(self, transitions: Transitions) -> dict[str, float]:
        self.updated.append(len(transitions))
        return {"size": float(len(transitions))}


VECTOR = spaces.Box(-10, 10, (3,), np.float32)
IMAGE = spaces.Box(0, 255, (12, 16, 3), np.uint8)


def environments(space: spaces.Box = VECTOR, end: str = "terminated", n: int = 2, monitor: bool = False) -> DummyVecEnv:
    def make() -> gymnasium.Env:
        return Monitor(Counting(space, end)) if monitor else Counting(space, end)

    return DummyVecEnv([make] * n)


def recording(venv: VecEnv, frame_channels: int | None = None) -> Recording:
    from harness.scripting.spaces import method_spaces

    return Recording(method_spaces(venv.observation_space, venv.action_space, frame_channels), venv.num_envs)


def ppo(env: VecEnv, **arguments: Any) -> PPO:
    settings = {"n_steps": 8, "batch_size": 8, "n_epochs": 1, "seed": 0, "device": "cpu", "policy_kwargs": {"net_arch": [4]}}
    return PPO("MlpPolicy", env, **settings | arguments)


# --------------------------------------------------------------------------------------------------------------------
# On-policy
# --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("monitored", ["not", "each", "all", "outside"])
def test_logged_returns_stay_the_environments_own(monitored: str) -> None:
    venv: VecEnv = environments(monitor=monitored == "each")
    venv = VecMonitor(venv) if monitored == "all" else venv
    reward = recording(venv)
    env: VecEnv = harness.add_bonus(venv, reward, n_steps=8, intrinsic_weight=0.5)
    if monitored == "outside":
        with pytest.warns(UserWarning, match="already wrapped with a `Monitor`"):
            env = VecMonitor(env)
        with pytest.raises(UserError, match="VecMonitor stands outside"):
            ppo(env).learn(16, callback=harness.BonusLogger())
        return
    model = ppo(env)
    model.learn(40)
    assert [episode["r"] for episode in model.ep_info_buffer or ()] == [LENGTH] * 8
    np.testing.assert_array_equal(model.rollout_buffer.rewards[0], [1 + 0.5 * 10] * 2)


@pytest.mark.parametrize("end", ["terminated", "truncated"])
def test_an_episode_ends_as_the_environment_says_on_its_true_last_observation(end: str) -> None:
    venv = environments(end=end)
    reward = recording(venv)
    env = harness.add_bonus(venv, reward, n_steps=8)
    env.reset()
    for _ in range(LENGTH):
        env.step(np.zeros(2, dtype=int))
    last = reward.observed[-1]
    assert torch.equal(last.next_obs, torch.full((2, 3), float(LENGTH)))
    assert (last.terminated.tolist(), last.truncated.tolist()) == ([end == "terminated"] * 2, [end == "truncated"] * 2)


class Forgetful(VecEnvWrapper):
    """Leaves keys out of every info."""

    def __init__(self, venv: VecEnv, *keys: str) -> None:
        super().__init__(venv)
        self.keys = keys

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> Any:
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations, rewards, dones, [{k: v for k, v in info.items() if k not in self.keys} for info in infos]


def test_an_info_that_says_nothing_of_truncation_means_none() -> None:
    venv = Forgetful(environments(), "TimeLimit.truncated")
    reward = recording(venv)
    ppo(harness.add_bonus(venv, reward, n_steps=8)).learn(16)
    assert [bool(step.terminated.all()) for step in reward.observed[:LENGTH]] == [False] * 4 + [True]


def test_an_episode_end_without_its_last_observation_is_refused() -> None:
    venv = Forgetful(environments(), "terminal_observation")
    with pytest.raises(UserError, match="without a terminal_observation"):
        ppo(harness.add_bonus(venv, recording(venv), n_steps=8)).learn(16)


def test_the_method_learns_after_every_rollout_of_learn_of_any_length(tmp_path: Path) -> None:
    venv = environments()
    reward = recording(venv)
    env = harness.add_bonus(venv, reward, n_steps=8)
    model = ppo(env)
    model.learn(5, callback=harness.BonusLogger())  # a whole rollout in any case
    model.learn(17, reset_num_timesteps=False)
    assert reward.updated == [16] * 3
    model.save(tmp_path / "model")
    PPO.load(tmp_path / "model", env=env).learn(16)
    assert reward.updated == [16] * 4


@pytest.mark.parametrize("wrapper", [lambda env: env, Monitor])
def test_environments_in_other_processes(wrapper: Any) -> None:
    venv = SubprocVecEnv([lambda: wrapper(Counting(VECTOR))] * 2, start_method="fork")
    try:
        reward = recording(venv)
        ppo(harness.add_bonus(venv, reward, n_steps=8)).learn(16)
        assert reward.updated == [16]
    finally:
        venv.close()


def test_other_numbers_than_bytes_are_shown_as_float32() -> None:
    venv = environments(spaces.Box(-10, 10, (3,), np.float64))
    reward = harness.make_reward(
        "rnd", venv.observation_space, venv.action_space, n_envs=2, device="cpu", config={"hidden": [4], "feature_dim": 4}
    )
    env = harness.add_bonus(venv, reward, n_steps=8)
    ppo(env).learn(16)
    assert reward.spaces.observation.dtype == env.observation_space.dtype == np.float32


def test_the_logger_records_bonuses_and_what_the_method_says() -> None:
    venv = environments()
    model = ppo(harness.add_bonus(venv, recording(venv), n_steps=8))
    logged: dict[str, Any] = {}

    class Keep(harness.BonusLogger):
        def _on_rollout_end(self) -> None:
            super()._on_rollout_end()
            logged.update(self.logger.name_to_value)

    model.learn(16, callback=Keep(every=1))
    assert (logged["intrinsic/bonus_mean"], logged["intrinsic/size"]) == (10, 16)


def test_the_logger_refuses_what_only_the_algorithm_knows() -> None:
    venv = environments()
    with pytest.raises(UserError, match=r"n_steps=8, and harness\.add_bonus was given n_steps=4"):
        ppo(harness.add_bonus(venv, recording(venv), n_steps=4)).learn(16, callback=harness.BonusLogger())
    with pytest.raises(UserError, match="have no bonus"):
        ppo(environments()).learn(16, callback=harness.BonusLogger())


# --------------------------------------------------------------------------------------------------------------------
# Images
# --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("transposed", [False, True])
def test_channel_last_images_are_channel_first_for_method_and_learner(transposed: bool) -> None:
    venv: VecEnv = environments(IMAGE)
    reward = recording(venv)
    env = harness.add_bonus(VecTransposeImage(venv) if transposed else venv, reward, n_steps=8)
    model = ppo(env)
    model.learn(16)
    assert reward.spaces.frame_channels == 3
    (seen, *_), last = reward.observed, reward.observed[LENGTH - 1]
    assert seen.obs.shape == (2, 3, 12, 16)
    assert seen.obs.dtype == torch.uint8
    assert seen.obs[0, :, 0].eq(100).all()  # the first row, of every channel
    assert seen.obs[0, :, 1:].eq(0).all()
    assert last.next_obs[0, :, 1:].eq(LENGTH).all()
    assert model.get_env() is env  # nothing was left to transpose


def test_a_stack_of_frames_tells_the_method_its_newest() -> None:
    venv = VecFrameStack(environments(spaces.Box(0, 255, (12, 16, 1), np.uint8)), 4, channels_order="last")
    reward = recording(venv, frame_channels=1)
    env = harness.add_bonus(venv, reward, n_steps=8)
    env.reset()
    env.step(np.zeros(2, dtype=int))
    assert reward.observed[0].next_obs.shape == (2, 4, 12, 16)
    assert reward.observed[0].next_obs[0, :, 1, 0].tolist() == [0, 0, 0, 1]
    assert reward.spaces.frame_channels == 1


def test_relabelled_images_are_what_the_method_sees() -> None:
    venv = environments(IMAGE)
    reward = recording(venv)
    env = harness.relabel(venv, reward)
    model = DQN(
        "MlpPolicy", env, learning_starts=100, buffer_size=60, device="cpu", policy_kwargs={"net_arch": [4]},
        **harness.relabelled_replay(env),
    )  # fmt: skip
    model.learn(40)
    assert model.replay_buffer is not None
    batch = model.replay_buffer.sample(16)
    assert batch.observations.shape == (16, 3, 12, 16)
    assert batch.observations[:, :, 0].eq(100).all()
    assert batch.rewards.eq(11).all()


@pytest.mark.parametrize("shape", [(12, 3, 16), (8, 8, 8), (10, 10, 12)])
def test_images_whose_axes_cannot_be_told_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="which axis of images"):
        harness.make_reward("rnd", spaces.Box(0, 255, shape, np.uint8), spaces.Discrete(2), n_envs=1)


# --------------------------------------------------------------------------------------------------------------------
# Refusals
# --------------------------------------------------------------------------------------------------------------------
def make(observation: spaces.Space = VECTOR, name: str = "rnd", n_envs: int = 2, **arguments: Any) -> IntrinsicReward[Any]:
    return harness.make_reward(name, observation, spaces.Discrete(2), n_envs=n_envs, **{"device": "cpu", **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "rdn"}, "unknown method 'rdn': did you mean 'rnd'"),
        ({"preset": "burda2017"}, "unknown preset of method 'rnd' 'burda2017': did you mean 'burda2018'"),
        (
            {"config": {"learning_rat": 1}},
            "method 'rnd': learning_rat: unknown key 'learning_rat': did you mean 'learning_rate'",
        ),
        ({"config": {"epochs": 0}}, "method 'rnd': epochs: expected more than 0, got 0"),
        ({"n_envs": 0}, "n_envs must be at least 1"),
        ({"observation": spaces.Dict({"a": VECTOR})}, "these are a Dict: flatten"),
        ({"frame_channels": 1}, "frame_channels is for images"),
        ({"observation": IMAGE, "frame_channels": 2}, "frame_channels=2 does not divide the 3 channels"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
    ],
)
def test_a_method_that_cannot_be_made_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refused:
        make(**arguments)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_environments_of_another_make_are_refused() -> None:
    with pytest.raises(UserError, match="n_envs=3, and there are 2 environments"):
        harness.add_bonus(environments(), make(n_envs=3), n_steps=8)
    with pytest.raises(UserError, match="made for other observations"):
        harness.relabel(environments(spaces.Box(-10, 10, (4,), np.float32)), make())
    with pytest.raises(UserError, match="made for other actions"):
        reward = harness.make_reward("rnd", VECTOR, spaces.Discrete(5), n_envs=2, device="cpu")
        harness.add_bonus(environments(), reward, n_steps=8)


@pytest.mark.parametrize("wrap", [lambda *a, **k: harness.add_bonus(*a, n_steps=8, **k), harness.relabel])
def test_two_critics_are_not_for_an_unmodified_algorithm(wrap: Any) -> None:
    with pytest.raises(UserError, match=r"two_critics.* needs a second value head"):
        wrap(environments(), make(), mode="two_critics")
    with pytest.raises(UserError, match="intrinsic_weight: expected at least 0"):
        wrap(environments(), make(), intrinsic_weight=-1)


def test_a_buffer_needs_relabelling_environments() -> None:
    with pytest.raises(UserError, match=r"what harness\.relabel returned, not IntrinsicRewardVecEnv"):
        harness.relabelled_replay(harness.add_bonus(environments(), make(), n_steps=8))  # type: ignore[arg-type]


def test_a_method_for_other_learners_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    reward = make(name="proto_rl")
    with pytest.raises(UserError, match=r"'proto_rl' does not work with on-policy algorithms: use harness\.relabel"):
        harness.add_bonus(environments(), reward, n_steps=8)
    harness.relabel(environments(), reward)
    rnd = installed().methods["rnd"]
    choosy = replace(rnd, description=replace(rnd.description, works_with={"on_policy", "continuous"}))
    monkeypatch.setitem(installed().methods, "rnd", choosy)
    with pytest.raises(UserError, match="method 'rnd' needs continuous actions, and these are Discrete"):
        make()


# --------------------------------------------------------------------------------------------------------------------
# Off-policy models on the disk
# --------------------------------------------------------------------------------------------------------------------
def test_a_saved_model_leaves_environments_out_and_trains_on_when_it_gets_them(tmp_path: Path) -> None:
    venv = environments()
    reward = recording(venv)
    env = harness.relabel(venv, reward)
    settings: dict[str, Any] = {"learning_starts": 10, "buffer_size": 60, "policy_kwargs": {"net_arch": [4]}}
    model = DQN("MlpPolicy", env, device="cpu", **settings, **harness.relabelled_replay(env))
    model.learn(20)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "buffer")

    alone = DQN.load(tmp_path / "model", device="cpu")
    assert alone.predict(env.reset())[0].shape == (2,)
    alone.set_env(env)
    alone.load_replay_buffer(tmp_path / "buffer")
    with pytest.raises(UserError, match=r"no environments yet: load the model with .*relabelled_replay"):
        alone.learn(20)
    assert alone.replay_buffer is not None
    alone.replay_buffer.bonus_env = env  # type: ignore[attr-defined]
    alone.learn(20)

    learned = len(reward.updated)
    DQN.load(tmp_path / "model", env=env, device="cpu", **harness.relabelled_replay(env)).learn(40)
    assert len(reward.updated) > learned
