"""What a GPU must do as the CPU does, and how fast it is there.

    python benchmarks/gpu.py                          # all of it, at most 10 minutes
    python benchmarks/gpu.py --minutes 3 --only conformance --methods rnd snd_vic
    python benchmarks/gpu.py --device cpu --minutes 3 # the script itself, tried without a GPU

* ``conformance``: every method at full size goes on there from a checkpoint made on the CPU, with the same bonuses.
* ``resume``: runs are killed (``kill -9``) twice, resumed and compared byte for byte with unbroken ones, see
  ``kill_and_resume.py``.
* ``throughput``: PPO with each method on an Atari game at 128 environments x 128 steps: steps per second, peak memory of the
  GPU, and what share of an iteration goes where (see ``throughput.py``; the GPU has finished at each boundary).

Each part has its share of the minutes. What there was no time for is said. Nothing is downloaded. The last line of each part
counts what went wrong; the exit code is 1 if anything did.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from clock import clock_of, time_call
from first_party import first_party_methods, on_policy
from kill_and_resume import check, run
from throughput_parts import split
from throughput_runs import Workload

from harness.errors import HarnessError
from harness.registry import installed
from harness.spec import RunSpec
from harness.testing import Subject
from harness.testing.checks.devices import moves
from harness.testing.outcomes import CheckFailed
from harness.training.assembly import assemble
from harness.training.devices import choose_device

KILLS = 2  # one of them while a checkpoint is saved
PAPER_SIZE: dict[str, Any] = {"n_envs": 128, "n_steps": 128, "batch_size": 4096, "n_epochs": 4}


class Clock:
    """The minutes that a part may take.

    Args:
        seconds: How long that is.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self._end - time.monotonic()


def conformance(device: torch.device, clock: Clock, methods: Sequence[str]) -> Iterator[str]:
    """A line for each method, those that fail with ``WRONG``."""
    for name in methods:
        for case in Subject.named(name).cases:
            if clock.left < 0:
                yield f"{name}, {case.kind}: no time left"
                continue
            began = time.monotonic()
            try:
                moves(case, device)
            except (CheckFailed, RuntimeError) as error:
                yield f"WRONG {name}, {case.kind}: {error}"
            else:
                yield f"{name}, {case.kind}: as on the CPU, {time.monotonic() - began:.1f} s"


def _runs(methods: Sequence[str]) -> dict[str, RunSpec]:
    grid = Workload("deep_sea", {"size": 8}, "ppo", {"n_envs": 8, "n_steps": 16, "batch_size": 64, "n_epochs": 2})
    screen = Workload(
        "atari", {"game": "montezuma_revenge"}, "ppo", {"n_envs": 8, "n_steps": 32, "batch_size": 128, "n_epochs": 2}
    )
    found: dict[str, Workload] = {"ppo alone on deep_sea": grid, "ppo alone on atari": screen}
    for name in on_policy(methods):
        found[f"{name} on atari"] = replace(screen, reward=name)
        found[f"{name} on deep_sea"] = replace(grid, reward=name)
    runs = {}
    for name, workload in found.items():
        spec = workload.spec(1)
        iterations = 96 if workload.family == "deep_sea" else 12  # long enough to be killed in
        steps = iterations * int(workload.settings["n_envs"]) * int(workload.settings["n_steps"])
        runs[name] = spec.model_copy(update={"steps": steps, "checkpoint_every": steps // 4})
    return runs


def resume(device: torch.device, clock: Clock, methods: Sequence[str]) -> Iterator[str]:
    """A line for each run, those that differ with ``WRONG``; several runs share the device."""

    def try_one(case: tuple[str, RunSpec]) -> str:
        return f"{case[0]}: no time left" if clock.left < 0 else _kill_and_resume(*case, device)

    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as pool:
        yield from pool.map(try_one, _runs(methods).items())


def _kill_and_resume(name: str, spec: RunSpec, device: torch.device) -> str:
    with tempfile.TemporaryDirectory() as folder:
        equal, line = check(spec, Path(folder), KILLS, random.Random(0), partial(run, device=str(device)))
    return f"{'' if equal else 'WRONG '}{name}: {line}"


def throughput(device: torch.device, clock: Clock, methods: Sequence[str]) -> Iterator[str]:
    """A line for PPO alone and for each method on it, with the share of each part of an iteration."""
    plain = Workload("atari", {"game": "montezuma_revenge"}, "ppo", PAPER_SIZE)
    for name in (None, *on_policy(methods)):
        if clock.left < 0:
            yield f"{name}: no time left"
            continue
        try:
            yield _measure(replace(plain, reward=name), device)
        except (HarnessError, RuntimeError) as error:
            yield f"WRONG {name or 'ppo alone'}: {error}"


def _measure(workload: Workload, device: torch.device) -> str:
    gpu = device.type == "cuda"
    if gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()

    built = assemble(workload.spec(8 if gpu else 1), device, installed())
    try:
        built.learner.begin(10**9)
        built.learner.iterate()
        seconds = time_call(built.learner.iterate, device)
        shares = split(built, clock_of(device), iterations=1)
    finally:
        built.close()
    steps = built.learner.vector_steps_per_iteration * built.base.num_envs
    memory = f", {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB" if gpu else ""
    parts = ", ".join(f"{part} {share:.0%}" for part, share in shares.items() if share >= 0.005)
    return f"{workload.reward or 'ppo alone'}: {steps / seconds:.0f} steps/s{memory}; {parts}"


PARTS: dict[str, tuple[float, Callable[[torch.device, Clock, Sequence[str]], Iterator[str]]]] = {
    "conformance": (0.2, conformance),
    "resume": (0.4, resume),
    "throughput": (0.4, throughput),
}


def main() -> int:
    """Do it all and print what comes of it; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--methods", nargs="+", choices=first_party_methods(), default=first_party_methods(), metavar="METHOD")
    arguments = parser.parse_args()
    device, wrong = choose_device(arguments.device), 0
    if device.type == "cuda":
        print(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}, {os.cpu_count()} processors", flush=True)
    whole = sum(PARTS[name][0] for name in arguments.only)
    for name in arguments.only:
        share, part = PARTS[name]
        lines = 0
        for line in part(device, Clock(60 * arguments.minutes * share / whole), arguments.methods):
            wrong_line = line.startswith("WRONG")
            wrong, lines = wrong + wrong_line, lines + 1
            print(f"{name}: {line}", flush=True)
        print(f"{name}: {lines} tried, {wrong} wrong so far", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
