"""How much memory runs take at their largest, against what ``harness run --dry-run`` forecasts.

    python benchmarks/memory.py suites/*.yaml                                # all profiles, the largest method of each
    python benchmarks/memory.py suites/atari_hard.yaml --profiles paper --methods rnd snd_std --markdown

A run of each method and profile is built at full size in a process of its own, makes one iteration (two with ``--iterations
2``), evaluates over a few steps, and saves nothing. Random steps before training are left out. A replay buffer is learnt from
from the first transition on, and in the end every page of it is touched. The largest memory is what Linux remembers of the
process (``VmHWM``), with what the processes that step environments take. Forecasts are made as ``--dry-run`` makes them. What
is forecast to take more than ``--most`` GiB is left out. Exits with 1 where a forecast is off by more than 15 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import HarnessError
from harness.execution.measuring import measure, measuring_process
from harness.planning.load import load
from harness.spec import RunSpec

TOLERANCE = 0.15
GIB = 2**30
_EVALUATION_STEPS = 20


def main() -> int:
    """Measure; exit with 1 where a forecast is off."""
    arguments = _arguments()
    rows = [row for file in arguments.suites for profile in arguments.profiles for row in _rows(file, profile, arguments)]
    if arguments.markdown:
        print("\n| suite, profile | method | forecast | measured | forecast / measured |\n|---|---|---|---|---|")
        for name, method, forecast, measured in rows:
            print(f"| {name} | `{method}` | {forecast / GIB:.2f} GiB | {measured / GIB:.2f} GiB | {forecast / measured:.2f} |")
    return 1 if any(abs(forecast / measured - 1) > TOLERANCE for _, _, forecast, measured in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="+", type=Path)
    parser.add_argument("--profiles", nargs="+", default=["smoke", "laptop", "paper"])
    parser.add_argument("--methods", nargs="+", help="instead of that method for which most is forecast")
    parser.add_argument("--iterations", type=int, default=1)
    parser.add_argument("--most", type=float, default=20.0, help="GiB of runs that are tried")
    parser.add_argument("--markdown", action="store_true", help="end with a table")
    return parser.parse_args()


def _rows(file: Path, profile: str, arguments: argparse.Namespace) -> Iterator[tuple[str, str, int, int]]:
    """Name of the suite with the profile, method, forecast and measured bytes."""
    try:
        runs = load(file, profile=profile).runs
    except HarnessError as error:
        print(f"{file.stem} {profile}: left out, {error}", file=sys.stderr)
        return
    specs = {spec.method: spec for spec in reversed(runs)}
    chosen = [method for method in specs if method in arguments.methods] if arguments.methods else list(specs)
    forecasts = {method: measure(specs[method], "cpu").memory_bytes for method in chosen}
    if not arguments.methods:
        chosen = sorted(chosen, key=forecasts.__getitem__)[-1:]
    for method in chosen:
        if forecasts[method] > arguments.most * GIB:
            print(f"{file.stem} {profile} {method}: left out, {forecasts[method] / GIB:.1f} GiB", file=sys.stderr)
            continue
        with measuring_process() as process:
            measured = process.submit(peak, specs[method], arguments.iterations).result()
        yield f"{file.stem} {profile}", method, forecasts[method], measured
        ratio = forecasts[method] / measured
        print(f"{file.stem} {profile} {method}: {measured / GIB:.2f} GiB, forecast / measured {ratio:.2f}", flush=True)


def peak(spec: RunSpec, iterations: int) -> int:
    """The most memory that a short run takes in this process and in those that step its environments, bytes."""
    import torch

    from harness.registry import installed
    from harness.training.assembly import assemble
    from harness.training.evaluation import evaluate

    known = installed()
    run = assemble(_quick_to_learn(spec), torch.device("cpu"), known)
    try:
        run.learner.begin(spec.steps)
        for _ in range(iterations):
            run.learner.iterate()
        evaluation = spec.evaluation.model_copy(update={"max_steps": _EVALUATION_STEPS})
        evaluate(run.evaluation_env, run.learner, evaluation, spec.seed, 0)
        if run.learner.replay is not None:
            _fill(run.learner.replay_buffer)  # type: ignore[attr-defined]  # of learners with a replay
        return _most_bytes()
    finally:
        run.close()


def _quick_to_learn(spec: RunSpec) -> RunSpec:
    """The same run without random steps, that logs early off-policy."""
    changes: dict[str, Any] = {}
    if "learning_starts" in spec.algorithm.config:
        config = spec.algorithm.config | {"learning_starts": 0, "log_every": 64}
        changes["algorithm"] = spec.algorithm.model_copy(update={"config": config})
    if spec.reward is not None and "warm_up_steps" in spec.reward.config:
        changes["reward"] = spec.reward.model_copy(update={"config": spec.reward.config | {"warm_up_steps": 0}})
    return spec.model_copy(update=changes)


def _fill(part: Any, seen: set[int] | None = None) -> None:
    """Touch every page of all arrays of a replay buffer."""
    seen = set() if seen is None else seen
    for value in vars(part).values():
        if isinstance(value, np.ndarray) and value.flags.c_contiguous and value.nbytes:
            pages = value.reshape(-1).view(np.uint8)[::4096]
            pages[...] = pages.copy()
        elif type(value).__module__.startswith("harness.algorithms") and id(value) not in seen:
            seen.add(id(value))
            _fill(value, seen)


def _most_bytes() -> int:
    import psutil

    lines = Path("/proc/self/status").read_text().splitlines()
    own = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return own + sum(child.memory_info().rss for child in psutil.Process().children(recursive=True))


if __name__ == "__main__":
    sys.exit(main())
