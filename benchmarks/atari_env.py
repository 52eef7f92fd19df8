"""Steps per second of the Atari family against bare ALE and against Stable-Baselines3's one process per environment.

    python benchmarks/atari_env.py
    python benchmarks/atari_env.py --envs 8 32 128 --game gravitar --rounds 9

All variants play the same game with sticky actions, frame skip 4, 84 x 84 gray, a stack of 4 and the same random actions.
They take turns, round after round, so that a machine that slows down slows all of them; the table shows medians over rounds
of the speed and of its ratio to bare ALE on as many threads. Stable-Baselines3's wrappers need OpenCV.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import ale_py
import gymnasium
import numpy as np
from ale_py.registration import rom_id_to_name
from ale_py.vector_env import AtariVectorEnv
from stable_baselines3.common.atari_wrappers import AtariWrapper
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv, VecFrameStack, VecTransposeImage

from harness_atari.config import AtariConfig
from harness_atari.env import make

THREADS = (1, 2)
Step = Callable[[np.ndarray], Any]


def bare_ale(game: str, n_envs: int, threads: int) -> tuple[Step, Callable[[], object]]:
    env = AtariVectorEnv(
        game,
        n_envs,
        num_threads=threads,
        max_num_frames_per_episode=18_000,
        repeat_action_probability=0.25,
        autoreset_mode="SameStep",
        noop_max=0,
        reward_clipping=False,
        use_fire_reset=False,
    )
    env.reset(seed=np.arange(n_envs))
    return env.step, env.close


def ours(game: str, n_envs: int, threads: int) -> tuple[Step, Callable[[], object]]:
    env = make(AtariConfig(game=game), n_envs, threads=threads)
    return _started(env)


def one_process_each(game: str, n_envs: int) -> tuple[Step, Callable[[], object]]:
    processes = SubprocVecEnv([partial(_single, game) for _ in range(n_envs)])
    return _started(VecTransposeImage(VecFrameStack(processes, 4)))


def _single(game: str) -> gymnasium.Env:
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    options = {"frameskip": 1, "repeat_action_probability": 0.25, "max_num_frames_per_episode": 18_000}
    env = gymnasium.make(f"ALE/{rom_id_to_name(game)}-v5", **options)
    return AtariWrapper(env, noop_max=0, terminal_on_life_loss=False, clip_reward=False)


def _started(env: VecEnv) -> tuple[Step, Callable[[], object]]:
    env.seed(0)
    env.reset()
    return env.step, env.close


def compare(game: str, n_envs: int, steps: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Median steps per second of each variant and its ratio to bare ALE on as many threads (processes: on the most)."""
    variants: dict[str, tuple[Step, Callable[[], object]]] = {"SB3 SubprocVecEnv": one_process_each(game, n_envs)}
    for threads in THREADS:
        variants[f"bare ALE, {threads} threads"] = bare_ale(game, n_envs, threads)
        variants[f"harness_atari, {threads} threads"] = ours(game, n_envs, threads)
    speeds: dict[str, list[float]] = {name: [] for name in variants}
    batch = max(1, steps // n_envs)
    for number in range(rounds + 1):
        actions = np.random.default_rng(number).integers(0, 3, (batch, n_envs))
        for name, (step, _) in variants.items():
            speed = _speed(step, actions)
            if number:  # the first round warms up
                speeds[name].append(speed)
    for _, close in variants.values():
        close()
    return {name: (median(found), _ratio(found, speeds[_bare(name)])) for name, found in speeds.items()}


def _speed(step: Step, actions: np.ndarray) -> float:
    start = time.perf_counter()
    for row in actions:
        step(row)
    return actions.size / (time.perf_counter() - start)


def _bare(name: str) -> str:
    threads = name.partition(", ")[2] or f"{THREADS[-1]} threads"
    return f"bare ALE, {threads}"


def _ratio(speeds: list[float], reference: list[float]) -> float:
    return median(mine / its for mine, its in zip(speeds, reference, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", default="montezuma_revenge")
    parser.add_argument("--envs", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--steps", type=int, default=2048, help="environment steps per variant and round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{options.game}: {options.rounds} rounds of {options.steps} steps\n")
    print("| environments | variant | steps/s | ratio to bare ALE |\n|---|---|---|---|")
    for n_envs in options.envs:
        for name, (speed, ratio) in compare(options.game, n_envs, options.steps, options.rounds).items():
            print(f"| {n_envs} | {name} | {speed:,.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
