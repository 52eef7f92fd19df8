"""What `HarnessVecEnv` promises, kept by real ROMs: ends of episodes, seeds, threads, fresh arrays, SB3's contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from harness import NO_INFO, HarnessVecEnv
from harness_atari.config import AtariConfig
from harness_atari.env import AtariVecEnv, make

SIX = ["montezuma_revenge", "gravitar", "venture", "private_eye", "pitfall", "solaris"]


@contextmanager
def playing(game: str = "breakout", n_envs: int = 2, *, threads: int = 1, **settings: Any) -> Iterator[HarnessVecEnv]:
    env = make(AtariConfig(game=game, **settings), n_envs, threads=threads)
    try:
        yield env
    finally:
        env.close()


def random_actions(env: HarnessVecEnv, steps: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, env.action_space.n, (steps, env.num_envs))


def trajectory(env: HarnessVecEnv, seeds: list[int], steps: int = 60) -> list[np.ndarray]:
    env.reseed(seeds)
    rows = [env.reset()]
    for actions in random_actions(env, steps):
        rows += env.step(actions)[:3]
    return rows


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("game", SIX)
def test_the_six_games_step(game: str):
    with playing(game, threads=2) as env:
        env.reseed([1, 2])
        observations = env.reset()
        assert env.observation_space.contains(observations[0])
        for actions in random_actions(env, 50):
            observations, rewards, dones, infos = env.step(actions)
        assert observations.shape == (2, 4, 84, 84)
        assert (observations.dtype, rewards.dtype, dones.dtype) == (np.uint8, np.float32, np.bool_)
        assert rewards.shape == dones.shape == (2,)
        assert all(info is NO_INFO for info in infos) and not NO_INFO


def test_step_limit_is_exact_and_truncates():
    with playing("pong", 3, episode_steps=7) as env:
        env.reset()
        for step, actions in enumerate(random_actions(env, 21), start=1):
            _, _, dones, infos = env.step(actions)
            assert dones.all() == dones.any() == (step % 7 == 0)
            if dones.any():
                assert [info["TimeLimit.truncated"] for info in infos] == [True] * 3


@pytest.mark.parametrize("settings", [{}, {"grayscale": False}])
def test_bicubic_frames_are_stacked_like_others(settings: dict[str, bool]):
    """The same games with frames made small in another way: ends, order in the stack, black frames, last observations."""
    arguments = {"episode_steps": 7, "size": 42, **settings}
    with playing("pong", **arguments) as area, playing("pong", resize="bicubic", **arguments) as bicubic:
        assert area.observation_space == bicubic.observation_space
        for env in (area, bicubic):
            env.reseed([5, 6])
        assert alike(area.reset(), bicubic.reset())
        for actions in random_actions(area, 20):
            one, other = area.step(actions), bicubic.step(actions)
            assert alike(one[0], other[0]) and np.array_equal(one[1], other[1]) and np.array_equal(one[2], other[2])
            for index in np.flatnonzero(one[2]):
                assert alike(one[3][index]["terminal_observation"], other[3][index]["terminal_observation"])


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """The same frames are black, and the others show the same to the eye."""
    black = one.any(axis=(-2, -1)) == other.any(axis=(-2, -1))
    return bool(black.all()) and np.abs(one.astype(float) - other).mean() < 3


def test_how_frames_are_made_small_is_in_the_record_only_if_bicubic():
    assert "resize" not in AtariConfig(game="pong").model_dump()
    assert AtariConfig(game="pong", resize="bicubic").model_dump()["resize"] == "bicubic"


def test_last_observation_of_a_cut_episode_is_the_one_an_uncut_game_shows():
    with playing("pong", episode_steps=10) as cut, playing("pong") as uncut:
        for env in (cut, uncut):
            env.reseed([5, 6])
            env.reset()
        for actions in random_actions(cut, 10):
            first_of_next, *_, infos = cut.step(actions)
            true_last = uncut.step(actions)[0]
        for index, info in enumerate(infos):
            assert np.array_equal(info["terminal_observation"], true_last[index])
            assert not np.array_equal(info["terminal_observation"], first_of_next[index])


def test_game_over_terminates_at_any_step_of_the_limit():
    """One game is over, the other not: the ends are told apart, and the step limit loses a tie with game over."""
    with playing(sticky=0) as env:
        env.reseed([1, 2])
        env.reset()
        over = play_until_over(env)
    with playing(sticky=0, episode_steps=over) as env:
        env.reseed([1, 2])
        env.reset()
        for _ in range(over):
            observations, _, dones, infos = env.step(firing_once(env))
        assert dones.all()
        assert [info["TimeLimit.truncated"] for info in infos] == [False, True]
        assert all(black_before_first(observations))
        for info in infos:
            assert info["terminal_observation"].any(axis=(1, 2)).all()
            assert info["terminal_observation"].base is None  # a view would keep its whole batch in memory


def firing_once(env: HarnessVecEnv) -> np.ndarray:
    """The first game of Breakout serves and lets every ball fall; the second never serves, so it lasts."""
    actions = np.zeros(env.num_envs, dtype=np.int64)
    actions[0] = 1
    return actions


def play_until_over(env: HarnessVecEnv, limit: int = 400) -> int:
    for step in range(1, limit):
        if env.step(firing_once(env))[2][0]:
            return step
    raise AssertionError("the game should have been over")


def black_before_first(observations: np.ndarray) -> list[bool]:
    return [not stack[:-1].any() and bool(stack[-1].any()) for stack in observations]


def test_game_over_info_matches_an_environment_that_resets_on_the_next_step():
    """ALE's next-step mode returns the last observation itself; ours must put the same one into the info."""
    from ale_py.vector_env import AtariVectorEnv

    options = {"repeat_action_probability": 0.25, "noop_max": 0, "use_fire_reset": False, "reward_clipping": False}
    oracle = AtariVectorEnv("breakout", 1, num_threads=1, autoreset_mode="NextStep", **options)
    with playing(n_envs=1) as env:
        env.reseed([3])
        assert np.array_equal(env.reset(), oracle.reset(seed=np.array([3]))[0])
        for actions in random_actions(env, 600):
            observations, rewards, dones, infos = env.step(actions)
            expected, expected_rewards, terminated, truncated, _ = oracle.step(actions)
            assert np.array_equal(rewards, expected_rewards)
            assert np.array_equal(dones, terminated) and not truncated.any()
            if dones[0]:
                break
            assert np.array_equal(observations, expected)
        assert dones[0] and not infos[0]["TimeLimit.truncated"]
        assert np.array_equal(infos[0]["terminal_observation"], expected[0])
        assert black_before_first(observations) == [True]


def test_first_observation_has_the_newest_frame_last_and_black_before_it():
    with playing() as env:
        first = env.reset()
        assert black_before_first(first) == [True, True]
        second = env.step(np.zeros(2, dtype=np.int64))[0]
        assert np.array_equal(second[:, 2], first[:, 3])
        assert env.frame_channels == 1


def test_colour_is_channel_first_with_three_channels_per_frame():
    with playing("venture", grayscale=False, stack=2, size=40, episode_steps=3) as env:
        env.reseed([1, 2])
        first = env.reset()
        assert first.shape == (2, 6, 40, 40) and env.observation_space.shape == (6, 40, 40)
        assert env.frame_channels == 3 and first.flags.c_contiguous
        assert not first[:, :3].any() and first[:, 3:].any()
        second = env.step(np.zeros(2, dtype=np.int64))[0]
        assert np.array_equal(second[:, :3], first[:, 3:])
        red, green, blue = second[0, 3:].reshape(3, -1)
        assert not (np.array_equal(red, green) and np.array_equal(green, blue))
        for _ in range(2):
            infos = env.step(np.zeros(2, dtype=np.int64))[3]
        assert infos[0]["terminal_observation"].shape == (6, 40, 40)


@pytest.mark.parametrize("size", [84, 96])
def test_size_and_stack(size: int):
    with playing(size=size, stack=3) as env:
        assert env.reset().shape == (2, 3, size, size) == (2, *env.observation_space.shape)


def test_actions_are_minimal_or_all():
    with playing() as minimal, playing(full_action_space=True) as full:
        assert (minimal.action_space.n, full.action_space.n) == (4, 18)


def test_action_out_of_range_is_refused_instead_of_hanging():
    with playing() as env:
        first = env.reset()
        for wrong in (4, -1):
            with pytest.raises(ValueError, match=r"from 0 to 3, not \[0, "):
                env.step(np.array([0, wrong]))
        assert np.array_equal(env.step(np.array([0, 0], dtype=np.int32))[0][:, 2], first[:, 3])


def test_rewards_are_raw():
    with playing("gravitar", 4) as env:
        env.reseed([1, 2, 3, 4])
        env.reset()
        seen = {float(reward) for actions in random_actions(env, 300) for reward in env.step(actions)[1]}
    assert seen & {100.0, 250.0}


def test_trajectory_depends_on_the_seeds_alone():
    with playing("gravitar") as env, playing("gravitar", threads=2) as threaded:
        reference = trajectory(env, [11, 12])
        env.reset()
        for actions in random_actions(env, 13, seed=99):
            env.step(actions)
        assert same(reference, trajectory(env, [11, 12]))
        assert same(reference, trajectory(threaded, [11, 12]))
        assert not same(reference, trajectory(env, [12, 11]))
        swapped = trajectory(env, [12, 12])
        assert np.array_equal(swapped[0][0], swapped[0][1])


def test_what_follows_a_reset_without_seeds_is_determined_too():
    with playing(episode_steps=20) as env:
        trajectories = []
        for _ in range(2):
            env.reseed([1, 2])
            env.reset()
            rows = [env.step(actions)[0] for actions in random_actions(env, 50)]
            trajectories.append([*rows, env.reset(), env.step(np.ones(2, dtype=np.int64))[0]])
        assert same(*trajectories)


def test_seeds_are_used_once():
    with playing() as env:
        one, other = [env.reset(), *steps(env, 30)], [env.reset(), *steps(env, 30)]
        assert not same(one, other)
        env.reseed([1, 2])
        one, other = [env.reset(), *steps(env, 30)], [env.reset(), *steps(env, 30)]
        assert not same(one, other)


def steps(env: HarnessVecEnv, n: int) -> list[np.ndarray]:
    return [env.step(actions)[0] for actions in random_actions(env, n)]


def test_games_that_nobody_seeded_differ_from_each_other():
    with playing("pong", sticky=0.5) as env:
        env.reset()
        games = np.stack([env.step(np.repeat(actions[0], 2))[0] for actions in random_actions(env, 60)], axis=1)
        assert not np.array_equal(*games)


def test_reset_forgets_the_steps_of_a_broken_off_episode():
    with playing("pong", episode_steps=5) as env:
        env.reset()
        for actions in random_actions(env, 3):
            env.step(actions)
        env.reset()
        dones = [env.step(actions)[2].any() for actions in random_actions(env, 5)]
        assert dones == [False, False, False, False, True]


def test_arrays_may_be_kept():
    with playing(episode_steps=4) as env:
        kept = [env.reset()]
        copies = [kept[0].copy()]
        for actions in random_actions(env, 30):
            observations, rewards, dones, infos = env.step(actions)
            ends = [info["terminal_observation"] for info in infos if info]
            kept += [observations, rewards, dones, *ends]
            copies += [array.copy() for array in (observations, rewards, dones, *ends)]
        env.reset()
        assert same(kept, copies)
        assert all(array.flags.writeable for array in kept)


def test_idle_frames_at_the_start_are_drawn_from_the_seed():
    with playing("pong", noop_max=30, sticky=0) as idle, playing("pong", sticky=0) as plain:
        assert same_games(plain, seeds=[1, 2])
        assert same_games(idle, seeds=[1, 1])
        assert not same_games(idle, seeds=[1, 2])


def same_games(env: HarnessVecEnv, seeds: list[int]) -> bool:
    env.reseed(seeds)
    env.reset()
    for _ in range(30):
        one, other = env.step(np.zeros(2, dtype=np.int64))[0]
    return np.array_equal(one, other)


def test_fire_at_the_start_serves_the_ball():
    with playing(fire_reset=True, sticky=0) as served, playing(sticky=0) as waiting:
        first = [env.reset() for env in (served, waiting)]
        for _ in range(20):
            later = [env.step(np.zeros(2, dtype=np.int64))[0] for env in (served, waiting)]
        assert not np.array_equal(later[0][:, -1], first[0][:, -1])
        assert np.array_equal(later[1][:, -1], first[1][:, -1])


def test_closing_ends_the_threads_and_may_be_repeated():
    def threads() -> int:
        return psutil.Process().num_threads()

    before = threads()
    env = make(AtariConfig(game="pong"), 2, threads=1)
    env.reset()
    assert threads() == before + 1
    env.close()
    env.close()
    assert threads() == before


def test_wrong_number_of_seeds_is_refused():
    with playing() as env, pytest.raises(ValueError, match="2 environments"):
        env.reseed([1])


def test_state_cannot_be_restored_and_says_so():
    assert AtariVecEnv.exact_state is False
    with playing() as env, pytest.raises(NotImplementedError, match="AtariVecEnv"):
        env.state_dict()


def test_stable_baselines_learns_on_it():
    env = VecMonitor(make(AtariConfig(game="pong", episode_steps=9), 2))
    try:
        model = PPO("CnnPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=3, device="cpu")
        assert model.env is env
        model.learn(32)
        episodes = list(model.ep_info_buffer)
        assert model.num_timesteps == 32
        assert [episode["l"] for episode in episodes] == [9, 9]
    finally:
        env.close()
