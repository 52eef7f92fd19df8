"""How long a report on many runs takes, and how much memory: the first time, when one run has changed, and when none has.

    python benchmarks/report_scale.py [--methods 10] [--tasks 50] [--seeds 20] [--evaluations 20] [--episodes 5] [--repeat 1]

Synthetic run folders are written in the format that training writes: finished, with learning curves of noise around a rise.
``harness report`` is then called on them in processes of its own. Prints a line of JSON for each call: seconds of the clock,
seconds of the processor and the largest resident memory in MiB, which the system counted. On a busy machine the processor's
seconds are the ones to compare. Exits with 1 where a bound is broken that holds for 10,000 runs: 60 s and 4 GiB
the first time, 5 s when nothing has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.runs.files import csv_text
from harness.runs.folder import RunFolder, RunRecord, RunStatus
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, Normalisation, RewardSpec, RunSpec

STEPS = 1_000_000
FIRST_SECONDS, FIRST_MIB, UNCHANGED_SECONDS = 60.0, 4096.0, 5.0

_PROVENANCE: dict[str, Any] = {
    "command": "harness run suites/large.yaml",
    "harness": "0.1.0",
    "commit": "0123456789ab",
    "plugins": {"deep_sea": "exploration-harness 0.1.0", "rnd": "exploration-harness 0.1.0"},
    "packages": {"torch": "2.13.0", "stable-baselines3": "2.9.0", "gymnasium": "1.3.0", "numpy": "2.4.6"},
    "python": "3.11.11",
    "system": "Linux-6.1-x86_64",
    "cpu": "a processor",
    "cores": 16,
    "memory_gib": 64.0,
    "device": "cpu",
}


def write_results(results: Path, methods: int, tasks: int, seeds: int, evaluations: int, episodes: int) -> int:
    """Write run folders of one suite; returns how many."""
    random = np.random.default_rng(0)
    steps = np.linspace(STEPS / evaluations, STEPS, evaluations).astype(int)
    for task in range(tasks):
        for method in range(methods):
            spec = _spec(f"task{task:03d}", method)
            text = _record(spec)
            for seed in range(seeds):
                folder = RunFolder.of(spec.model_copy(update={"seed": seed}), results)
                folder.path.mkdir(parents=True)
                folder.record_file.write_text(text.replace('"seed": 0,', f'"seed": {seed},'))
                level = random.normal(0.3 + 0.4 * method / methods, 0.1)
                folder.evaluations_file.write_text(csv_text(_rows(steps, episodes, level, random)))
    return methods * tasks * seeds


def _spec(task: str, method: int) -> RunSpec:
    config: dict[str, Any] = {"learning_rate": 1e-4 * (1 + method), "features": 512, "hidden": [64, 64], "normalise": True}
    reward = RewardSpec(name="rnd", config=config, combine=Combination()) if method else None
    return RunSpec(
        suite="large",
        task=task,
        method=f"method{method:02d}",
        seed=0,
        environment=EnvironmentSpec(family="deep_sea", config={"size": 10, "variant": task}),
        algorithm=AlgorithmSpec(name="ppo", config={"n_envs": 8, "n_steps": 128, "learning_rate": 3e-4, "gamma": 0.99}),
        reward=reward,
        steps=STEPS,
        evaluation=EvaluationSpec(every=STEPS // 20),
        checkpoint_every=STEPS // 20,
        normalise=Normalisation(low=0, high=1, source="the benchmark"),
    )


def _record(spec: RunSpec) -> str:
    begun, ended = "2026-11-20T09:00:00+00:00", "2026-11-21T12:00:00+00:00"
    status = RunStatus(state="finished", step=STEPS, steps=STEPS, seconds=1000.0, started=begun, updated=ended)
    record = RunRecord(
        spec=spec, digest=spec.digest, method_digest=spec.method_digest, provenance=_PROVENANCE, status=status
    ).with_attempt(0, _PROVENANCE)
    return json.dumps(record.model_dump(mode="json"), indent=2) + "\n"


def _rows(steps: np.ndarray, episodes: int, level: float, random: np.random.Generator) -> Iterator[tuple[object, ...]]:
    yield "step", "episode", "return", "length", "success"
    returns = level * (1 - np.exp(-4 * steps / STEPS))[:, None] + random.normal(0, 0.05, (len(steps), episodes))
    for step, values in zip(steps.tolist(), returns.round(6).tolist(), strict=True):
        for episode, value in enumerate(values):
            yield step, episode, value, 100, float(value > 0.5)


def measure(what: str, results: Path, *options: str) -> dict[str, Any]:
    """Report on results in a process of its own, and print what that took."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "report", str(results), *options], stdout=subprocess.DEVNULL, env=os.environ
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    figures = {
        "what": what,
        "seconds": round(time.monotonic() - began, 2),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 2),
        "mib": round(used.ru_maxrss / 1024),
        "exit": process.returncode,
    }
    print(json.dumps(figures), flush=True)
    return figures


def main() -> int:
    """Measure; returns 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"methods": 10, "tasks": 50, "seeds": 20, "evaluations": 20, "episodes": 5, "repeat": 1}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", type=Path, help="write the runs into this new folder and leave them there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        results = (given.keep or Path(temporary)) / "results"
        began = time.monotonic()
        n = write_results(results, given.methods, given.tasks, given.seeds, given.evaluations, given.episodes)
        print(json.dumps({"what": "written", "runs": n, "seconds": round(time.monotonic() - began, 2)}), flush=True)
        first = measure("first", results)
        again = [measure("unchanged", results) for _ in range(given.repeat)]
        (changed := next(results.rglob("evaluations.csv"))).write_text(changed.read_text())
        measure("one run changed", results)
    broken = first["processor_seconds"] > FIRST_SECONDS or first["mib"] > FIRST_MIB
    broken |= any(one["processor_seconds"] > UNCHANGED_SECONDS for one in again)
    return 1 if broken or first["exit"] or any(one["exit"] for one in again) else 0


if __name__ == "__main__":
    sys.exit(main())
