"""Whether ProcGen plays the same through EnvPool and through the ``procgen`` package: same seeds, same levels, same rewards.

The two cannot be installed together in pip's eyes, so each is recorded in its own environment:

    python benchmarks/procgen_backends.py record envpool envpool.npz        # where exploration-harness[procgen] is installed
    python benchmarks/procgen_backends.py record gym3 gym3.npz              # where procgen or procgen-mirror is; no harness
    python benchmarks/procgen_backends.py compare envpool.npz gym3.npz      # anywhere with NumPy; exit code 1 if they differ

EnvPool is recorded through the harness's adapter, ProcGen's own batch through the code that the adapter stands on. The random
actions are the same. Frames are compared too, but may differ: Qt 5.15 and 5.9 draw rotated sprites a little differently, which
is reported as the mean difference of all pixels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "plugins"))

MODES = {"hard": {"num_levels": 200, "start_level": 0}, "easy": {"num_levels": 50, "start_level": 7}, "exploration": {}}
GAMES = ("caveflyer", "climber", "coinrun", "jumper")
SEEDS = (0, 1, 7, 12345, 2**31 - 1, 99, 100, 101)
STEPS, DRAWN = 1200, 40
Step = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # level numbers, rewards, ends, frames


def actions() -> np.ndarray:
    return np.random.RandomState(3).randint(0, 15, (STEPS, len(SEEDS)))


def through_envpool(game: str, mode: str) -> Iterator[Step]:
    from functools import partial

    from harness.environments.envpool import EnvPoolVecEnv, Images, discrete_converter
    from harness_procgen.config import ProcGenConfig
    from harness_procgen.with_envpool import stream_seed, task

    numbers = np.zeros(len(SEEDS), np.int64)

    class LevelRecorder:
        """Notes the level that every environment is in."""

        def begin(self, envs, observations, info) -> None:
            numbers[envs] = info["level_seed"]

        def step(self, observations, rewards, info) -> None:
            numbers[:] = info["level_seed"]

        def metrics(self, env) -> dict[str, float]:
            return {}

    pool = task(ProcGenConfig(game=game, distribution_mode=mode, backend="envpool", **MODES[mode]))  # type: ignore[arg-type]
    frames, buttons = pool.spaces()
    open_pool = partial(pool.open, threads=1)
    env = EnvPoolVecEnv(
        lambda seeds: open_pool([stream_seed(seed) for seed in seeds]),
        len(SEEDS),
        Images(frames, 3),
        discrete_converter(buttons),
        metrics=lambda _: LevelRecorder(),
    )
    env.enable_metrics()
    env.reseed(SEEDS)
    seen = env.reset()
    yield numbers.copy(), np.zeros(len(SEEDS), np.float32), np.ones(len(SEEDS), bool), seen
    for row in actions():
        seen, rewards, ends, _ = env.step(row)
        assert isinstance(seen, np.ndarray)
        yield numbers.copy(), rewards, ends, seen
    env.close()


def through_gym3(game: str, mode: str) -> Iterator[Step]:
    from harness_procgen.gym3_batch import Gym3Batch

    batch = Gym3Batch(game, mode, MODES[mode], SEEDS)
    rewards, frames, first = batch.observe()
    yield batch.info()["level_seed"], np.zeros(len(SEEDS), np.float32), first, frames
    for row in actions():
        batch.act(row)
        rewards, frames, first = batch.observe()
        yield batch.info()["level_seed"], rewards, first, frames
    batch.close()


def record(play: Callable[[str, str], Iterator[Step]], out: Path) -> None:
    arrays = {}
    for mode in MODES:
        for game in GAMES:
            numbers, rewards, ends, frames = zip(*play(game, mode), strict=True)
            parts = {"level": numbers, "reward": rewards, "end": ends, "frame": frames[:DRAWN]}
            arrays |= {f"{game} {mode} {name}": np.stack(part) for name, part in parts.items()}
            print(game, mode, "recorded", flush=True)
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]


def compare(one: Path, other: Path) -> bool:
    """Print what is the same and say whether levels, rewards and ends are."""
    a, b = np.load(one), np.load(other)
    same = True
    print(f"{len(SEEDS)} environments, {STEPS} steps each\n")
    print("| game | mode | levels played | episodes | rewards earned | levels | rewards | ends | pixels differ by, of 255 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for mode in MODES:
        for game in GAMES:
            names = [f"{game} {mode} {name}" for name in ("level", "reward", "end", "frame")]
            (level, reward, end, frame), others = ([recorded[name] for name in names] for recorded in (a, b))
            equal = [np.array_equal(x, y) for x, y in zip((level, reward, end), others[:3], strict=True)]
            same &= all(equal)
            pixels = np.abs(frame.astype(int) - others[3]).mean()
            counts = f"{len(np.unique(level))} | {end[1:].sum()} | {np.count_nonzero(reward)}"
            print(f"| {game} | {mode} | {counts} | {' | '.join('same' if e else 'DIFFERENT' for e in equal)} | {pixels:.3f} |")
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("backend", choices=("envpool", "gym3"))
    recording.add_argument("out", type=Path)
    comparing = commands.add_parser("compare")
    comparing.add_argument("one", type=Path)
    comparing.add_argument("other", type=Path)
    options = parser.parse_args()
    if options.command == "record":
        record(through_envpool if options.backend == "envpool" else through_gym3, options.out)
        return 0
    return 0 if compare(options.one, options.other) else 1


if __name__ == "__main__":
    sys.exit(main())
