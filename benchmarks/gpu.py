"""What a GPU must do as the CPU does, and how fast it is there.

    python benchmarks/gpu.py                          # all of it, at most 10 minutes
    python benchmarks/gpu.py --minutes 3 --only conformance --methods rnd snd_vic
    python benchmarks/gpu.py --device cpu --minutes 3 # the script itself, tried without a GPU

* ``conformance``: every method at full size goes on there from a checkpoint made on the CPU, with the same bonuses.
* ``resume``: runs are killed (``kill -9``) after a checkpoint, resumed and compared byte for byte with unbroken ones.
* ``throughput``: PPO with each method on an Atari game at 128 environments x 128 steps: steps per second, peak memory of the
  GPU, and what share of an iteration goes where (see ``throughput.py``; the GPU has finished at each boundary).

Each part has its share of the minutes. What there was no time for is said. Nothing is downloaded. The last line of each part
counts what went wrong; the exit code is 1 if anything did.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from throughput_parts import split
from throughput_runs import Workload

from harness.errors import HarnessError
from harness.registry import installed
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.spec import RunSpec, training_version
from harness.testing import Subject
from harness.testing.checks.devices import moves
from harness.testing.outcomes import CheckFailed
from harness.training.assembly import assemble
from harness.training.devices import choose_device

OURS = sorted(name for name, method in installed().methods.items() if method.plugin.distribution == "exploration-harness")
PAPER_SIZE: dict[str, Any] = {"n_envs": 128, "n_steps": 128, "batch_size": 4096, "n_epochs": 4}
TIMES = ("time/time_elapsed", "time/fps")
WORST_KILL_SECONDS = 60.0


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
    for name in _on_policy(methods):
        found[f"{name} on atari"] = replace(screen, reward=name)
        found[f"{name} on deep_sea"] = replace(grid, reward=name)
    runs = {}
    for name, workload in found.items():
        spec = workload.spec(1)
        steps = 12 * int(workload.settings["n_envs"]) * int(workload.settings["n_steps"])
        family = installed().environment(spec.environment.family)
        version = training_version(installed().config_class(family).model_validate(spec.environment.config))
        runs[name] = spec.model_copy(update={"steps": steps, "checkpoint_every": steps // 4, "training_version": version})
    return runs


def resume(device: torch.device, clock: Clock, methods: Sequence[str]) -> Iterator[str]:
    """A line for each run, those that differ with ``WRONG``; several runs share the device."""

    def try_one(case: tuple[str, RunSpec]) -> str:
        return f"{case[0]}: no time left" if clock.left < 0 else _kill_and_resume(*case, device)

    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as pool:
        yield from pool.map(try_one, _runs(methods).items())


def _kill_and_resume(name: str, spec: RunSpec, device: torch.device) -> str:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder, "whole"), Path(folder, "broken")
        try:
            _train(spec, whole, device)
            killed = _train_and_kill(spec, broken, device)
            _train(spec, broken, device)
            difference = _difference(spec, whole, broken)
        except (subprocess.CalledProcessError, HarnessError, OSError, ValueError) as error:
            return f"WRONG {name}: {getattr(error, 'stderr', None) or error}"
    said = f"{name}: {'killed after a checkpoint' if killed else 'NOT killed'}, {time.monotonic() - began:.0f} s"
    return f"WRONG {said}: {difference}" if difference else f"{said}, equal"


def _command(spec: RunSpec, results: Path, device: torch.device) -> list[str]:
    code = "from harness.spec import RunSpec; from harness.training.run import train; from pathlib import Path; import sys;"
    code += " train(RunSpec.model_validate_json(sys.argv[1]), Path(sys.argv[2]), device=sys.argv[3])"
    return [sys.executable, "-W", "ignore", "-c", code, spec.model_dump_json(), str(results), str(device)]


def _train(spec: RunSpec, results: Path, device: torch.device) -> None:
    subprocess.run(_command(spec, results, device), check=True, capture_output=True, text=True)


def _train_and_kill(spec: RunSpec, results: Path, device: torch.device) -> bool:
    """Kill a run a moment after its first checkpoint; whether it was still training."""
    folder, limit = RunFolder.of(spec, results), time.monotonic() + WORST_KILL_SECONDS
    process = subprocess.Popen(_command(spec, results, device), stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and time.monotonic() < limit and not any(folder.checkpoint.rglob("*.safetensors")):
        time.sleep(0.01)
    time.sleep(0.1)
    training = process.poll() is None
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return training


def _difference(spec: RunSpec, whole: Path, broken: Path) -> str:
    one, other = RunFolder.of(spec, whole), RunFolder.of(spec, broken)
    if _log(one) != _log(other):
        return "the logs differ"
    if one.evaluations_file.read_bytes() != other.evaluations_file.read_bytes():
        return "the evaluations differ"
    weights = [sorted(folder.path.rglob("*.safetensors")) for folder in (one, other)]
    same = all(mine.read_bytes() == theirs.read_bytes() for mine, theirs in zip(*weights, strict=True))
    return "" if weights[0] and same else "the weights differ"


def _log(folder: RunFolder) -> list[dict[str, str]]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in read_csv_rows(folder.progress_file)[1]]


def throughput(device: torch.device, clock: Clock, methods: Sequence[str]) -> Iterator[str]:
    """A line for PPO alone and for each method on it, with the share of each part of an iteration."""
    plain = Workload("atari", {"game": "montezuma_revenge"}, "ppo", PAPER_SIZE)
    for name in (None, *_on_policy(methods)):
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

    def now() -> float:
        if gpu:
            torch.cuda.synchronize()
        return time.perf_counter()

    run = assemble(workload.spec(8 if gpu else 1), device, installed())
    try:
        run.learner.begin(10**9)
        run.learner.iterate()
        began = now()
        run.learner.iterate()
        seconds = now() - began
        shares = split(run, now, iterations=1)
    finally:
        run.close()
    steps = run.learner.vector_steps_per_iteration * run.base.num_envs
    memory = f", {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB" if gpu else ""
    parts = ", ".join(f"{part} {share:.0%}" for part, share in shares.items() if share >= 0.005)
    return f"{workload.reward or 'ppo alone'}: {steps / seconds:.0f} steps/s{memory}; {parts}"


def _on_policy(methods: Sequence[str]) -> list[str]:
    return [name for name in methods if "on_policy" in installed().method(name).works_with]


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
    parser.add_argument("--methods", nargs="+", choices=OURS, default=OURS, metavar="METHOD")
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
