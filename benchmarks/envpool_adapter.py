"""Steps per second of the EnvPool adapter against EnvPool's own loop on the same task, batch and threads.

    python benchmarks/envpool_adapter.py
    python benchmarks/envpool_adapter.py --tasks CartPole-v1 --envs 8 32 128 --threads 2

Both take turns, round after round, so that a machine that slows down slows both; the table shows medians over rounds of
the speeds, of their ratio in a round, and of the same ratio by the CPU time of all threads, which means something on a busy
machine too: there a batch that takes microseconds waits for a core far longer than it works. EnvPool's loop is its plain
``step``: its reset steps count as steps there, and it turns neither dictionaries into vectors nor actions into ranges. The
adapter does both, and resets in a second round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import envpool
import numpy as np
from gymnasium import spaces

from harness.environments.envpool import (
    EnvPoolTask,
    EnvPoolVecEnv,
    FlattenedDict,
    Images,
    Vectors,
    discrete_converter,
    scaled_converter,
)

Step = Callable[[np.ndarray], Any]
TASKS = ["CartPole-v1", "CartpoleSwingupSparse-v1", "HopperHop-v1"]


def bare(task: EnvPoolTask, n_envs: int, threads: int) -> Step:
    pool = envpool.make_gymnasium(task.env_id, num_envs=n_envs, num_threads=threads)
    pool.reset()
    return pool.step


def adapted(task: EnvPoolTask, n_envs: int, threads: int) -> Step:
    seen, action_space = task.spaces()
    images = getattr(seen, "dtype", None) == np.uint8
    observations = FlattenedDict(seen) if isinstance(seen, spaces.Dict) else Images(seen, 1) if images else Vectors(seen)
    actions = discrete_converter(action_space) if isinstance(action_space, spaces.Discrete) else scaled_converter(action_space)
    env = EnvPoolVecEnv(partial(task.open, threads=threads), n_envs, observations, actions)
    env.reset()
    return env.step


def actions_for(task: EnvPoolTask, n_envs: int, steps: int, seed: int) -> np.ndarray:
    space, rng = task.spaces()[1], np.random.default_rng(seed)
    if isinstance(space, spaces.Discrete):
        return rng.integers(0, space.n, (steps, n_envs))
    return rng.uniform(-1, 1, (steps, n_envs, *space.shape)).astype(np.float32)


def speeds(step: Step, actions: np.ndarray) -> np.ndarray:
    """Environment steps per second, and per second of CPU time."""
    start, cpu = time.perf_counter(), time.process_time()
    for row in actions:
        step(row)
    spent = np.array([time.perf_counter() - start, time.process_time() - cpu])
    return actions.shape[0] * actions.shape[1] / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--envs", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=300, help="steps of the batch per variant and round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{options.rounds} rounds of {options.steps} steps, {options.threads} threads\n")
    print("| task | environments | EnvPool steps/s | adapter steps/s | ratio | by CPU time |\n|---|---|---|---|---|---|")
    for name in options.tasks:
        for n_envs in options.envs:
            task = EnvPoolTask(name)
            variants = bare(task, n_envs, options.threads), adapted(task, n_envs, options.threads)
            rounds = []
            for number in range(options.rounds + 1):
                actions = actions_for(task, n_envs, options.steps, number)
                rounds.append([speeds(step, actions) for step in variants])
            costs = np.array(rounds[1:])  # the first round warms up
            theirs, ours = np.median(costs[:, :, 0], axis=0)
            ratio, by_cpu = np.median(costs[:, 1] / costs[:, 0], axis=0)
            print(f"| {name} | {n_envs} | {theirs:,.0f} | {ours:,.0f} | {ratio:.2f} | {by_cpu:.2f} |", flush=True)


if __name__ == "__main__":
    main()
