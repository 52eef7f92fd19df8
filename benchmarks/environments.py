"""Steps per second of every environment family, and their ratio to the family's bare stepping loop.

    python benchmarks/environments.py
    python benchmarks/environments.py --families minigrid procgen --envs 8 32 128 --threads 2

A bare loop is the engine's own batch on the same task, actions and threads, without anything of ours: EnvPool's or ALE's plain
``step``, whose reset steps count as steps, with observations as the engine gives them; bsuite's DeepSea, ants, MiniGrid's
MultiRoom and Crafter's worlds one after the other. Both take turns, round after round, so that a machine that slows down slows
both; the table shows medians over rounds of the speeds and of their ratio in a round. On a machine that others use as well,
``--clock processor`` counts the processor time of this process, the engine's threads included, instead of seconds on the
wall. A further family is a further row in `FAMILIES`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from harness.registry import installed

Step = Callable[[np.ndarray], Any]
CLOCKS: Mapping[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}


@dataclass(frozen=True)
class Family:
    """A family with the task that stands for it.

    Attributes:
        family: As the harness calls it.
        config: The task's settings.
        bare: Makes the bare loop for a number of environments and of threads.
    """

    family: str
    config: Mapping[str, Any]
    bare: Callable[[int, int], Step]


def envpool(env_id: str, **options: Any) -> Callable[[int, int], Step]:
    """EnvPool's own batch; needs the harness's environment to be made first, which loads ProcGen's libraries."""

    def made(n_envs: int, threads: int) -> Step:
        import envpool as engine

        gymnasium.logger.min_level = gymnasium.logger.ERROR  # bounds in doubles become float32, which it warns of
        pool = engine.make_gymnasium(env_id, num_envs=n_envs, num_threads=threads, **options)
        pool.reset()
        return pool.step

    return made


def bare_atari(n_envs: int, threads: int) -> Step:
    from ale_py.vector_env import AtariVectorEnv

    options = {"repeat_action_probability": 0.25, "noop_max": 0, "reward_clipping": False, "use_fire_reset": False}
    env = AtariVectorEnv("gravitar", n_envs, num_threads=threads, autoreset_mode="SameStep", **options)
    env.reset(seed=np.arange(n_envs))
    return env.step


def bare_deep_sea(n_envs: int, threads: int) -> Step:
    from bsuite.environments.deep_sea import DeepSea

    envs = [DeepSea(20) for _ in range(n_envs)]
    return lambda actions: [env.step(action) for env, action in zip(envs, actions, strict=True)]


def bare_vizdoom(n_envs: int, threads: int) -> Step:
    from harness_vizdoom.environment import BUTTONS

    step = envpool("MyWayHome-v1", max_episode_steps=525)(n_envs, threads)
    return lambda actions: step(BUTTONS[actions])


def bare_ant_mazes(n_envs: int, threads: int) -> Step:
    from harness_mazes.ant import make_ant
    from harness_mazes.config import MazeConfig

    return sequential_loop([make_ant(MazeConfig(task="ant_large")) for _ in range(n_envs)])


def bare_crafter(n_envs: int, threads: int) -> Step:
    from harness_crafter.config import CrafterConfig
    from harness_crafter.world import make_world

    return sequential_loop([make_world(CrafterConfig()) for _ in range(n_envs)])


def bare_multi_room(n_envs: int, threads: int) -> Step:
    from harness_minigrid.config import MiniGridConfig
    from harness_minigrid.worlds import make_original

    return sequential_loop([make_original(MiniGridConfig(task="MultiRoom-N6")) for _ in range(n_envs)])


def sequential_loop(envs: list[gymnasium.Env]) -> Step:
    """Gymnasium's environments in a plain loop."""

    def step(actions: np.ndarray) -> None:
        for env, action in zip(envs, actions, strict=True):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    for env in envs:
        env.reset()
    return step


FAMILIES: Mapping[str, Family] = {
    "deep_sea": Family("deep_sea", {"size": 20}, bare_deep_sea),
    "classic_control": Family("classic_control", {"task": "mountain_car"}, envpool("MountainCar-v0")),
    "minigrid": Family("minigrid", {"task": "KeyCorridorS3R3"}, envpool("MiniGrid-KeyCorridorS3R3-v0")),
    "minigrid, MultiRoom": Family("minigrid", {"task": "MultiRoom-N6"}, bare_multi_room),
    "dm_control": Family("dm_control", {"task": "cartpole_swingup_sparse"}, envpool("CartpoleSwingupSparse-v1")),
    "procgen": Family("procgen", {"game": "caveflyer"}, envpool("CaveflyerHard-v0")),
    "procgen, as in SND": Family(
        "procgen",
        {"game": "caveflyer", "distribution_mode": "exploration", "stack": 2, "random_action": 0.01},
        envpool("CaveflyerExploration-v0"),
    ),
    "atari": Family("atari", {"game": "gravitar"}, bare_atari),
    "vizdoom": Family("vizdoom", {"task": "my_way_home", "grayscale": False}, bare_vizdoom),
    "mazes, a ball": Family("mazes", {"task": "point_large"}, envpool("PointMaze_Large-v3", continuing_task=False)),
    "mazes, an ant": Family("mazes", {"task": "ant_large"}, bare_ant_mazes),
    "manipulation, Fetch": Family("manipulation", {"task": "fetch_push"}, envpool("FetchPush-v4")),
    "manipulation, Adroit": Family("manipulation", {"task": "adroit_door"}, envpool("AdroitHandDoorSparse-v1")),
    "manipulation, MetaWorld": Family("manipulation", {"task": "metaworld_door_open"}, envpool("MetaWorld/DoorOpen-v3")),
    "crafter": Family("crafter", {}, bare_crafter),
}


def ours(family: Family, n_envs: int, threads: int) -> tuple[Step, spaces.Space]:
    """The harness's environment, reset, and its action space."""
    known = installed()
    description = known.environment(family.family)
    config = known.config_class(description).model_validate(dict(family.config))
    env = known.load(description.make)(config, n_envs, threads=threads)
    env.reset()
    return env.step, env.action_space


def actions_for(space: spaces.Space, n_envs: int, steps: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if isinstance(space, spaces.Discrete):
        return rng.integers(0, space.n, (steps, n_envs))
    return rng.uniform(-1, 1, (steps, n_envs, *(space.shape or ()))).astype(np.float32)


def speed(step: Step, actions: np.ndarray, clock: Callable[[], float]) -> float:
    start = clock()
    for row in actions:
        step(row)
    return actions.shape[0] * actions.shape[1] / (clock() - start)


def compare(
    family: Family, n_envs: int, threads: int, seconds: float, rounds: int, clock: Callable[[], float]
) -> tuple[float, float, float]:
    """Medians of the bare loop's speed, of the harness's, and of their ratio."""
    step, space = ours(family, n_envs, threads)
    variants = (family.bare(n_envs, threads), step)
    trial = actions_for(space, n_envs, 20, 0)
    slowest = min(speed(variant, trial, clock) for variant in variants)  # warms up as well
    steps = max(10, int(seconds * slowest / n_envs))
    measured = []
    for number in range(rounds):
        actions = actions_for(space, n_envs, steps, number)
        measured.append([speed(variant, actions, clock) for variant in variants])
    bare, harness = zip(*measured, strict=True)
    return median(bare), median(harness), median(mine / theirs for theirs, mine in measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES), metavar="NAME")
    parser.add_argument("--envs", type=int, nargs="+", default=[8, 32, 128])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.3, help="per variant and round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    options = parser.parse_args()
    print(f"{options.rounds} rounds of about {options.seconds} s of {options.clock} time, {options.threads} threads\n")
    print("| family | environments | bare loop, steps/s | harness, steps/s | ratio |\n|---|---|---|---|---|")
    for name in options.families:
        for n_envs in options.envs:
            measured = compare(FAMILIES[name], n_envs, options.threads, options.seconds, options.rounds, CLOCKS[options.clock])
            bare, harness, ratio = measured
            print(f"| {name} | {n_envs} | {bare:,.0f} | {harness:,.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
