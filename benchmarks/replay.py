"""Resume runs by doing their actions again, compare with runs that were never touched, and time it.

    python benchmarks/replay.py

Each case is a family of environments, with whatever holds state around them: stacked frames, pixels, processes, random
actions. It is trained without a checkpoint, with one after every rollout, and with one that it is resumed from after an
interruption. All three must end with equal progress.csv (times aside), evaluations.csv and tensors. Prints for each case how
long the replay took, and its speed over that of the bare environments with random actions; exits with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from families import ENVIRONMENTS
from kill_and_resume import differences

from harness.config import EnvironmentConfig
from harness.planning.load import load
from harness.registry import installed
from harness.runs.folder import RunFolder
from harness.runs.progress import RunProgress
from harness.spec import RunSpec

SUITE = """
suite: replay
environment: ENVIRONMENT
tasks: {task: {}}
algorithm: {name: ppo, n_envs: 2, n_steps: 16, batch_size: 32, n_epochs: 1, network: sb3, threads: 1}
methods: {ppo: {}}
seeds: 1
steps: 256
evaluation: {every: 256, episodes: 1}
checkpoint: {every: 1_000_000, replay_steps: 70}
"""


class Interrupted(Exception):
    """Ends a run where a kill might."""


def spec_of(environment: str, steps: int = 256) -> RunSpec:
    """A run that saves nothing before its end, with cuts after 80 steps of each environment that cannot save its state."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "suite.yaml"
        file.write_text(SUITE.replace("ENVIRONMENT", environment))
        return load(file, steps=steps).runs[0]


def resume(spec: RunSpec, results: Path, step: int) -> list[tuple[float, RunProgress]]:
    """Train, be interrupted at this step, and train to the end; the reports of the replay with their time."""
    from harness.training.run import train

    def interrupt(progress: RunProgress) -> None:
        if progress.step >= step:
            raise Interrupted

    reports: list[tuple[float, RunProgress]] = []
    with suppress(Interrupted):
        train(spec, results, device="cpu", report=interrupt)
    train(spec, results, device="cpu", report=lambda progress: reports.append((time.perf_counter(), progress)))
    return [(now, progress) for now, progress in reports if progress.replayed is not None]


def check(spec: RunSpec, results: Path) -> tuple[list[str], list[tuple[float, RunProgress]]]:
    """What differs between runs without, with many, and resumed from checkpoints; and the reports of the replay."""
    from harness.training.run import train

    often = spec.model_copy(update={"checkpoint_every": 1}) if spec.training_version > 1 else spec
    train(spec, results / "never", device="cpu")
    train(often, results / "often", device="cpu")
    found = [
        f"{name} (saved often)" for name in differences(*(RunFolder.of(spec, results / one) for one in ("never", "often")))
    ]
    saved = spec.model_copy(update={"checkpoint_every": 96}) if spec.training_version > 1 else spec
    reports = resume(saved, results / "broken", 128)  # from step 96, on the way to the cut
    found += [f"{name} (resumed)" for name in differences(*(RunFolder.of(spec, results / one) for one in ("never", "broken")))]
    return found, reports


def bare_speed(spec: RunSpec, vector_steps: int) -> float:
    """Vector steps a second of the environments alone, with random actions."""
    plugins = installed()
    family = plugins.environment(spec.environment.family)
    config = plugins.config_class(family).model_validate(spec.environment.config)
    assert isinstance(config, EnvironmentConfig)
    n_envs: Any = spec.algorithm.config["n_envs"]
    make: Any = plugins.load(family.make)
    env = make(config, n_envs, threads=spec.algorithm.config["threads"])
    try:
        env.reseed(range(n_envs))
        env.reset()
        actions = [np.stack([env.action_space.sample() for _ in range(n_envs)]) for _ in range(vector_steps)]
        started = time.perf_counter()
        for action in actions:
            env.step(action)
        return vector_steps / (time.perf_counter() - started)
    finally:
        env.close()


def main() -> int:
    """Run the comparison."""
    from harness.training import run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--replayed", type=int, default=1000, help="steps of each environment that are timed (default 1000)")
    arguments = parser.parse_args()
    run.REPORT_SECONDS = 0.0
    sound = True
    for name, environment in ENVIRONMENTS.items():
        if arguments.only not in name:
            continue
        spec = spec_of(environment)
        with tempfile.TemporaryDirectory() as folder:
            found, _ = check(spec, Path(folder))
        sound &= not found
        print(f"{name:35} {', '.join(found) or 'equal'}{timing(environment, arguments.replayed)}", flush=True)
    return 0 if sound else 1


def timing(environment: str, vector_steps: int) -> str:
    """How long a replay of so many steps of each environment takes."""
    spec = spec_of(environment, steps=2 * vector_steps + 64)
    if spec.training_version == 1:
        return "; saves its state: nothing is replayed"
    spec = spec.model_copy(update={"checkpoint_every": 2 * vector_steps, "replay_steps": None})
    with tempfile.TemporaryDirectory() as folder:
        reports = resume(spec, Path(folder), 2 * vector_steps)
    (begin, first), (end, last) = reports[0], reports[-1]
    assert first.replayed is not None and last.replayed == 1
    speed = (1 - first.replayed) * vector_steps / (end - begin)
    ratio = speed / bare_speed(spec, vector_steps)
    return f"; {vector_steps} steps of each of 2 replayed in {end - begin:.1f} s, at {ratio:.2f} of the bare speed"


if __name__ == "__main__":
    sys.exit(main())
