"""Steps per second of the Atari family against bare ALE and against Stable-Baselines3's one process per environment.

    python benchmarks/atari_env.py
    python benchmarks/atari_env.py --envs 8 32 128 --game gravitar --rounds 9

All variants play the same game with sticky actions, frame skip 4, 84 x 84 gray, a stack of 4 and the same random actions.
They take turns, round after round, so that a machine that slows down slows all of them; the table shows medians over rounds
of the speed, of its ratio to bare ALE on as many threads (processes: on the most), and of the CPU time of all threads and
processes for one step, which means something on a busy machine too. Stable-Baselines3's wrappers need OpenCV.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import ale_py
import gymnasium
import numpy as np
import psutil
from ale_py.registration import rom_id_to_name
from ale_py.vector_env import AtariVectorEnv
from stable_baselines3.common.atari_wrappers import AtariWrapper
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv, VecFrameStack, VecTransposeImage

from harness_atari.config import AtariConfig
from harness_atari.env import make

THREADS = (1, 2)
PROCESSES = "SB3 SubprocVecEnv"
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


def subproc_vec_env(game: str, n_envs: int) -> tuple[Step, Callable[[], object]]:
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


@dataclass(frozen=True)
class Cost:
    """Of one variant in one round."""

    steps_per_second: float
    cpu_seconds_per_step: float


def compare(game: str, n_envs: int, steps: int, rounds: int) -> dict[str, list[Cost]]:
    """The costs of every variant, round by round."""
    variants: dict[str, tuple[Step, Callable[[], object]]] = {PROCESSES: subproc_vec_env(game, n_envs)}
    for threads in THREADS:
        variants[f"bare ALE, {threads} threads"] = bare_ale(game, n_envs, threads)
        variants[f"harness_atari, {threads} threads"] = ours(game, n_envs, threads)
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        actions = np.random.default_rng(number).integers(0, 3, (max(1, steps // n_envs), n_envs))
        for name, (step, _) in variants.items():
            cost = _cost(step, actions)
            if number:  # the first round warms up
                costs[name].append(cost)
    for _, close in variants.values():
        close()
    return costs


def _cost(step: Step, actions: np.ndarray) -> Cost:
    start, cpu = time.perf_counter(), _cpu_seconds()
    for row in actions:
        step(row)
    return Cost(actions.size / (time.perf_counter() - start), (_cpu_seconds() - cpu) / actions.size)


def _cpu_seconds() -> float:
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(spent.user + spent.system for spent in times)


def report(n_envs: int, costs: dict[str, list[Cost]]) -> None:
    for name, mine in costs.items():
        threads = f"{THREADS[-1]} threads" if name == PROCESSES else name.partition(", ")[2]
        reference = costs[f"bare ALE, {threads}"]
        speed = median(cost.steps_per_second for cost in mine)
        ratio = median(a.steps_per_second / b.steps_per_second for a, b in zip(mine, reference, strict=True))
        cpu = median(cost.cpu_seconds_per_step for cost in mine)
        print(f"| {n_envs} | {name} | {speed:,.0f} | {ratio:.2f} | {cpu * 1e6:,.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", default="montezuma_revenge")
    parser.add_argument("--envs", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--steps", type=int, default=2048, help="environment steps per variant and round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{options.game}: {options.rounds} rounds of {options.steps} steps\n")
    print("| environments | variant | steps/s | ratio to bare ALE | CPU µs/step |\n|---|---|---|---|---|")
    for n_envs in options.envs:
        report(n_envs, compare(options.game, n_envs, options.steps, options.rounds))


if __name__ == "__main__":
    main()
