"""How often ``harness tune`` says that tuning helped where settings make no difference, by simulation.

    python benchmarks/tuning_verdicts.py [--simulations 4000] [--write]

Every simulated study has k confirmed trials and the suite's own settings, all with the same distribution of scores. Two rules
are asked the same: judging the trials in the order of their tuned scores, which is what the harness calls, and judging the
best on the fresh seeds on these same seeds, which it did until November 2026. 2.5 % is what one such test may err.
``--write`` replaces the table that the report quotes, `harness/tuning/false_alarms.csv`.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
from scipy import stats

from harness.analysis import statistics
from harness.analysis.bootstrap import IntervalEstimate
from harness.analysis.significance import rank_sum
from harness.tuning.confirm import CandidateComparison, Confirmation, recommended
from harness.tuning.false_alarms import CANDIDATES, FALSE_ALARMS_FILE, Rule, Simulated

TUNING_SEEDS, FRESH_SEEDS = 3, 5
TASKS = (1, 3)
DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "0 or 1": lambda rng, shape: (rng.random(shape) < 0.5).astype(float),
}


def _iqms(scores: np.ndarray) -> np.ndarray:
    """The interquartile mean of each of several matrices of scores, as `statistics.point_estimates` has it."""
    return np.asarray(stats.trim_mean(scores.reshape(len(scores), -1), 0.25, axis=1))


def _compared(own: np.ndarray, fresh: np.ndarray, trial: int, place: int) -> CandidateComparison:
    """A trial as `harness.tuning.confirm.compare` gives it, without the bootstrap, whose intervals decide nothing."""
    better = (fresh[:, :, None] > own[:, None, :]).mean() + 0.5 * (fresh[:, :, None] == own[:, None, :]).mean()
    scores = [(str(task), float(score)) for task, cell in enumerate(fresh) for score in cell]
    confirmation = Confirmation(trial, False, {}, None, scores, len(scores))
    score, improvement = IntervalEstimate(0.0, None, None), IntervalEstimate(float(better), 0.0, 1.0)
    return CandidateComparison(confirmation, place, score, None, improvement, rank_sum(list(fresh), list(own)))


def _seems_to_help(scores: str, tasks: int, candidates: int, rng: np.random.Generator) -> dict[Rule, bool]:
    """One study. Whether any trial is recommended depends on the first in order of tuned scores alone."""
    draw = DISTRIBUTIONS[scores]
    own, fresh = draw(rng, (tasks, FRESH_SEEDS)), draw(rng, (candidates, tasks, FRESH_SEEDS))
    first = int(_iqms(draw(rng, (candidates, tasks, TUNING_SEEDS))).argmax())
    best = int(_iqms(fresh).argmax())
    return {
        "by tuned score": recommended([_compared(own, fresh[first], first, 0)]) is not None,
        "best on fresh seeds": _compared(own, fresh[best], best, 0).helped,
    }


def simulate(simulations: int, only: Sequence[tuple[str, int, int]] = ()) -> Iterator[Simulated]:
    """The share of studies in which tuning seems to help, for each rule.

    Args:
        simulations: Studies of each kind.
        only: Distributions, numbers of tasks and of candidates to simulate; empty for all.
    """
    for scores, tasks, candidates in product(DISTRIBUTIONS, TASKS, CANDIDATES):
        if only and (scores, tasks, candidates) not in only:
            continue
        rng = statistics.named_generator("false alarms", scores, str(tasks), str(candidates))
        found = [_seems_to_help(scores, tasks, candidates, rng) for _ in range(simulations)]
        for rule in found[0]:
            rate = round(float(np.mean([one[rule] for one in found])), 4)
            yield Simulated(scores, tasks, FRESH_SEEDS, candidates, rule, rate, simulations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=4000)
    parser.add_argument("--write", action="store_true", help=f"replace {FALSE_ALARMS_FILE.name}")
    options = parser.parse_args()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Simulated._fields)
    for row in simulate(options.simulations):
        writer.writerow(row)
        print(*row, sep=", ", flush=True)
    if options.write:
        FALSE_ALARMS_FILE.write_text(text.getvalue())


if __name__ == "__main__":
    main()
