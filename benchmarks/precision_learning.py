"""Whether learning is unharmed by networks that compute in bfloat16: the same suite in both formats, on the same seeds.

    python benchmarks/precision_learning.py suites/quick.yaml --seeds 10 --results /tmp/precision
    python benchmarks/precision_learning.py suites/minigrid.yaml --task DoorKey-8x8 --profile laptop --seeds 10 --results DIR
    python benchmarks/precision_learning.py suites/dmc_sparse.yaml --task pendulum_swingup --method rnd --profile laptop ...

Runs that are finished in ``--results`` are not repeated, so that a command that was interrupted goes on. For each task and
method: the mean score of each format with its 95 % interval, and the chance that a run in bfloat16 scores more than one in
float32 (ties count half) with its interval. Learning is unharmed as far as these seeds can tell where that interval holds 1/2;
its width says how far that is. Exits with 1 where an interval lies below 1/2 as a whole.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from harness import experiment
from harness.analysis.statistics import IntervalEstimate, mean, probability_of_improvement

FORMATS = ("float32", "bf16")

Scores = dict[tuple[str, str], list[float]]
"""Scores by task and method, in the order of seeds."""


def main() -> int:
    """Train, compare; exit with 1 where learning is harmed."""
    arguments = _arguments()
    found = {precision: _scores(arguments, precision) for precision in FORMATS}
    harmed = 0
    print("| task | method | seeds | float32 | bf16 | chance that bf16 scores more |\n|---|---|---|---|---|---|")
    for task, method in found["float32"]:
        before, after = (np.array(found[precision][task, method]) for precision in FORMATS)
        rng = np.random.default_rng(0)
        chance = probability_of_improvement([after], [before], rng)
        cells = [_text(mean(scores, rng)) for scores in (before, after)]
        print(f"| {task} | `{method}` | {len(before)} | {cells[0]} | {cells[1]} | {_text(chance)} |")
        harmed += chance.high is not None and chance.high < 0.5
    return 1 if harmed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--profile")
    parser.add_argument("--task", action="append")
    parser.add_argument("--method", action="append")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--results", type=Path, required=True)
    return parser.parse_args()


def _scores(arguments: argparse.Namespace, precision: str) -> Scores:
    """Train whatever is missing, and return the scores.

    Raises:
        SystemExit: A run has no score.
    """
    plan = experiment.plan(
        arguments.suite,
        profile=arguments.profile,
        overrides=[("precision", precision)],
        methods=arguments.method,
        tasks=arguments.task,
        seeds=str(arguments.seeds),
        steps=arguments.steps,
    )
    scores: Scores = {}
    for run in experiment.run(plan, arguments.results / precision, workers=arguments.workers).runs:
        if run.state != "finished" or run.score is None:
            raise SystemExit(f"{arguments.results / precision / run.spec.path}: {run.state}, without a score")
        scores.setdefault((run.spec.task, run.spec.method), []).append(run.score)
    return scores


def _text(estimate: IntervalEstimate) -> str:
    interval = "" if estimate.low is None else f" [{estimate.low:.2f}, {estimate.high:.2f}]"
    return f"{estimate.value:.2f}{interval}"


if __name__ == "__main__":
    sys.exit(main())
