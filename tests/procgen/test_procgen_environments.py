"""The games behind `HarnessVecEnv`: levels by seed, levels held out, true last frames, random actions, stacks."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from harness import HarnessVecEnv
from harness_procgen.config import ProcGenConfig
from harness_procgen.environment import make
from harness_procgen.with_envpool import EnvPoolGames, stream_seed, task
from harness_procgen.wrappers import RandomActions, StackedFrames

ME = np.array([0], np.int32)


def played(env: HarnessVecEnv, seeds: list[int], steps: int) -> list[np.ndarray]:
    env.reseed(seeds)
    actions = np.random.default_rng(1).integers(0, 15, (steps, env.num_envs))
    return [env.reset(), *(part for row in actions for part in env.step(row)[:3])]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_levels_are_those_that_procgen_itself_draws():
    """Numbers of ``ProcgenGym3Env(num=1, env_name="coinrun", num_levels=200, rand_seed=seed)`` of procgen 0.10.7."""
    pool = task(ProcGenConfig(game="coinrun", num_levels=200)).open([stream_seed(seed) for seed in (7, 8, 9)], 1)
    _, info = pool.reset(np.arange(3, dtype=np.int32))
    assert info["level_seed"].tolist() == [143, 50, 129]


def test_exploration_is_the_level_that_the_authors_fixed():
    levels = {"coinrun": 1949448038, "caveflyer": 1259048185, "jumper": 1434825276, "climber": 1561126160}
    for game, level in levels.items():  # openai/procgen procgen/env.py
        pool = task(ProcGenConfig(game=game, distribution_mode="exploration")).open([3], 1)
        assert pool.reset(ME)[1]["level_seed"].tolist() == [level]


def test_numbers_of_levels_in_training_and_evaluation_have_nothing_in_common():
    config = ProcGenConfig(game="jumper", num_levels=3, start_level=5, evaluation_levels="held_out")
    for held_out in (False, True):
        pool = task(config, held_out=held_out).open(list(range(64)), 1)
        numbers = pool.reset(np.arange(64, dtype=np.int32))[1]["level_seed"]
        assert set(numbers) == {5, 6, 7} if not held_out else (numbers >= 8).all()
    training, evaluation = make(config, 2), make(config, 2)
    evaluation.enable_metrics()
    for env in (training, evaluation):
        env.reseed([1, 2])
    assert not np.array_equal(training.reset(), evaluation.reset())
    actions = np.random.default_rng(0).integers(0, 15, (1000, 2))
    metrics = [info["metrics"] for row in actions for info in evaluation.step(row)[3] if info]
    assert metrics and all(found["held_out"] == 1 for found in metrics)


@pytest.mark.parametrize("mode", ["hard", "exploration"])
def test_each_game_does_what_envpool_does_with_it_alone(mode: str):
    config = ProcGenConfig.model_validate({"game": "jumper", "distribution_mode": mode})
    env, seeds = EnvPoolGames(config, 3), [4, 0, 2**31 - 1]
    env.enable_metrics()
    env.reseed(seeds)
    shown = [env.reset()]
    actions = np.random.default_rng(2).integers(0, 15, (250, 3))
    steps = [env.step(row) for row in actions]
    shown += [step[0] for step in steps]
    assert sum(step[2].sum() for step in steps)
    for i, seed in enumerate(seeds):
        pool = task(config).open([stream_seed(seed)], 1)
        assert np.array_equal(pool.reset(ME)[0][0], shown[0][i])
        for row, (observations, rewards, dones, infos) in zip(actions, steps, strict=True):
            pool.send(row[i : i + 1].astype(np.int32), ME)
            frame, reward, terminated, truncated, _ = pool.recv()
            assert (rewards[i], dones[i]) == (reward[0], terminated[0] or truncated[0])
            if dones[i]:
                assert np.array_equal(infos[i]["terminal_observation"], frame[0])
                assert infos[i]["metrics"]["success"] == float(reward[0] > 0)
                frame = pool.reset(ME)[0]
            assert np.array_equal(observations[i], frame[0])


def test_a_game_that_runs_out_of_time_is_truncated_and_one_that_is_lost_is_not():
    env = make(ProcGenConfig(game="maze", distribution_mode="easy"), 4)
    env.reset()
    ends = [info for step in range(500) for info in env.step(np.full(4, 4))[3] if info]  # 4 does nothing
    assert len(ends) == 4 and all(info["TimeLimit.truncated"] for info in ends)
    env = make(ProcGenConfig(game="jumper", distribution_mode="exploration"), 4)
    env.reset()
    rng = np.random.default_rng(0)
    ends = [info for _ in range(200) for info in env.step(rng.integers(0, 15, 4))[3] if info]
    assert ends and not any(info["TimeLimit.truncated"] for info in ends)


def test_numbers_do_not_depend_on_threads():
    config = ProcGenConfig(game="climber", num_levels=20, stack=2, random_action=0.2)
    assert same(played(make(config, 3), [1, 2, 3], 80), played(make(config, 3, threads=2), [1, 2, 3], 80))


def test_frames_are_stacked_newest_last_and_begin_black():
    config = ProcGenConfig(game="jumper", distribution_mode="exploration")
    plain, stacked = make(config, 2), make(config.model_copy(update={"stack": 3}), 2)
    assert isinstance(stacked, StackedFrames) and stacked.observation_space.shape == (9, 64, 64)
    assert stacked.frame_channels == 3
    for env in (plain, stacked):
        env.reseed([1, 2])
    history = [[frame] for frame in plain.reset()]
    assert np.array_equal(stacked.reset()[:, 6:], [frames[-1] for frames in history])

    def expected(frames: list[np.ndarray]) -> np.ndarray:
        black = [np.zeros((3, 64, 64), np.uint8)] * 3
        return np.concatenate((black + frames)[-3:])

    ended = 0
    for row in np.random.default_rng(0).integers(0, 15, (150, 2)):
        frames, _, dones, infos = plain.step(row)
        stacks, _, _, stacked_infos = stacked.step(row)
        for i in range(2):
            if dones[i]:
                ended += 1
                last = expected([*history[i], infos[i]["terminal_observation"]])
                assert np.array_equal(stacked_infos[i]["terminal_observation"], last)
                history[i] = []
            history[i].append(frames[i])
            assert np.array_equal(stacks[i], expected(history[i]))
    assert ended


class Told:
    """Stands for a batch: remembers which actions it was given."""

    num_envs, frame_channels = 40, 3

    def __init__(self) -> None:
        inner = make(ProcGenConfig(game="maze"), 1)
        self.observation_space, self.action_space = inner.observation_space, inner.action_space
        self.actions: list[np.ndarray] = []

    def reseed(self, seeds: list[int]) -> None: ...

    def reset(self) -> np.ndarray:
        return np.zeros((self.num_envs, 3, 64, 64), np.uint8)

    def step_async(self, actions: np.ndarray) -> None:
        self.actions.append(actions)


def test_random_actions_have_their_frequency_and_depend_on_the_seed_alone():
    def given(seeds: list[int], steps: int) -> np.ndarray:
        told = Told()
        env = RandomActions(told, 0.3)  # type: ignore[arg-type]
        env.reseed(seeds)
        env.reset()
        for _ in range(steps):
            env.step_async(np.full(40, 99))
        return np.stack(told.actions)

    seeds = list(range(40))
    actions = given(seeds, 1500)  # longer than one draw
    share = (actions != 99).mean()
    assert abs(share - 0.3) < 0.01 and set(np.unique(actions)) == {*range(15), 99}
    assert np.array_equal(actions, given(seeds, 1500))
    assert np.array_equal(actions[:50, ::-1], given(seeds[::-1], 50))
    assert not np.array_equal(actions[:1024], np.roll(actions, -1024, axis=0)[:1024])


@pytest.mark.skipif(
    not getattr(find_spec("procgen"), "origin", None), reason="procgen-mirror is installed by hand: see README"
)
def test_both_back_ends_play_the_same():
    settings = {"game": "coinrun", "num_levels": 50, "distribution_mode": "easy", "stack": 2, "random_action": 0.1}
    one, other = (make(ProcGenConfig.model_validate({**settings, "backend": name}), 4) for name in ("envpool", "gym3"))
    for env in (one, other):
        env.enable_metrics()
        env.reseed([3, 1, 2**31 - 1, 4])
    assert np.abs(one.reset().astype(int) - other.reset()).mean() < 0.1
    for row in np.random.default_rng(0).integers(0, 15, (600, 4)):
        a, b = one.step(row), other.step(row)
        assert np.abs(a[0].astype(int) - b[0]).mean() < 0.1
        assert np.array_equal(a[1], b[1]) and np.array_equal(a[2], b[2])
        assert [info.get("metrics") for info in a[3]] == [info.get("metrics") for info in b[3]]
        assert [info.get("TimeLimit.truncated") for info in a[3]] == [info.get("TimeLimit.truncated") for info in b[3]]
