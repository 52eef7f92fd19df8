"""What checkpoints cost: one run that saves after every rollout against the same run that never saves.

    python benchmarks/checkpoint_overhead.py [--pairs 3] [--only quick]

The two take turns, so that a machine whose speed drifts slows both; what one save takes is the difference of their medians
over the number of saves. The share of a suite's default, one ten minutes after the last one, is that over ten minutes.
Exits with 1 where the share reaches 2 %.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness.planning.load import load
from harness.spec import RunSpec
from harness.suites.model import CheckpointBlock
from harness.training.run import train

SUITES = Path(__file__).parents[1] / "suites"
BOUND = 0.02

CASES = {
    "quick, PPO with RND": ("quick.yaml", None, "n13", "ppo_rnd", 24),
    "Atari, PPO with RND": ("atari_hard.yaml", "smoke", "montezuma_revenge", "rnd", 6),
}
"""Suite, profile, task, method and rollouts of each case."""


def spec_of(case: str) -> tuple[RunSpec, int]:
    """A run of the case's sizes without evaluations, and the steps of one of its rollouts."""
    file, profile, task, method, rollouts = CASES[case]
    found = load(SUITES / file, profile=profile, tasks=[task], methods=[method], seeds="1").runs[-1]
    rollout = found.algorithm.config["n_envs"] * found.algorithm.config["n_steps"]  # type: ignore[operator]  # numbers, by PPO's configuration
    steps = rollouts * rollout
    evaluation = found.evaluation.model_copy(update={"every": steps, "episodes": 1})
    never = {"checkpoint_every": steps, "checkpoint_minutes": None}
    return found.model_copy(update={"steps": steps, "evaluation": evaluation, **never}), rollout


def seconds_of(spec: RunSpec) -> float:
    """Duration of a whole run."""
    with tempfile.TemporaryDirectory() as results:
        start = time.perf_counter()
        train(spec, Path(results), device="cpu")
        return time.perf_counter() - start


def measure(case: str, pairs: int) -> float:
    """Print what checkpoints cost, and return the share of the default cadence."""
    never, rollout = spec_of(case)
    always = never.model_copy(update={"checkpoint_every": rollout})
    saves = never.steps // rollout - 1  # the last update is followed by one in both
    seconds_of(never)  # loads everything
    times = [(seconds_of(always), seconds_of(never)) for _ in range(pairs)]
    saving, plain = (statistics.median(column) for column in zip(*times, strict=True))
    one = max(saving - plain, 0.0) / saves
    minutes = CheckpointBlock().minutes
    assert minutes is not None
    share = one / (60 * minutes)
    print(
        f"{case}: {plain:.1f} s without, {saving:.1f} s with {saves} more checkpoints, ratio {saving / plain:.2f};"
        f" one takes {1000 * one:.0f} ms, every {minutes:g} minutes {share:.4%}"
    )
    return share


def main() -> int:
    """Measure; exit with 1 where the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3, help="runs with and without (default 3)")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    arguments = parser.parse_args()
    shares = [measure(case, arguments.pairs) for case in CASES if arguments.only in case]
    return 0 if max(shares, default=0.0) < BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
