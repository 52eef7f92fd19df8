"""How much faster the harness computes a report's statistics than rliable does, as ratios measured side by side in one run.

    python benchmarks/statistics_speed.py [--methods 5] [--tasks 10] [--seeds 20] [--share 200]

rliable's cost is proportional to its number of resamples, so it is given one in ``--share`` of them and its time multiplied.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable

import numpy as np
from rliable import library, metrics

from harness.analysis import statistics
from harness.analysis.curves import curve

THRESHOLDS = np.linspace(0, 1, 101)
POINTS = 50
METRICS = (
    metrics.aggregate_iqm,
    metrics.aggregate_median,
    metrics.aggregate_mean,
    metrics.aggregate_optimality_gap,
)


def time_call(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def iqms(scores: np.ndarray) -> np.ndarray:
    return np.array([metrics.aggregate_iqm(scores[..., k]) for k in range(scores.shape[-1])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("methods", 5), ("tasks", 10), ("seeds", 20), ("share", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    random = np.random.default_rng(0)
    curves = random.normal(0.5, 0.3, size=(options.methods, options.seeds, options.tasks, POINTS))
    finals = dict(enumerate(curves[..., -1]))
    cells = [list(scores.T) for scores in finals.values()]
    curve_cells = [[scores[:, task] for task in range(options.tasks)] for scores in curves]
    rng = statistics.named_generator("benchmark")
    pair = {"pair": (finals[0], finals[1])}

    def all_aggregates(scores: np.ndarray) -> np.ndarray:
        return np.array([metric(scores) for metric in METRICS])

    def improvement(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.array([metrics.probability_of_improvement(x, y)])

    def theirs(scores: dict, function: Callable[..., np.ndarray], n_resamples: int) -> Callable[[], object]:
        return lambda: library.get_interval_estimates(scores, function, reps=n_resamples)

    full, band = statistics.N_RESAMPLES, statistics.N_BAND_RESAMPLES
    part, band_part = max(2, full // options.share), max(2, band // options.share)
    rows = (
        (
            "aggregates",
            full,
            part,
            lambda: [statistics.aggregates(c, rng) for c in cells],
            theirs(finals, all_aggregates, part),
        ),
        (
            "improvement, one pair",
            full,
            part,
            lambda: statistics.probability_of_improvement(cells[0], cells[1], rng),
            theirs(pair, improvement, part),
        ),
        (
            "profiles",
            band,
            band_part,
            lambda: [statistics.performance_profile(c, THRESHOLDS, rng) for c in cells],
            lambda: library.create_performance_profile(finals, THRESHOLDS, reps=band_part),
        ),
        (
            f"curves, {POINTS} points",
            band,
            band_part,
            lambda: [curve(c, rng, iqm=True) for c in curve_cells],
            theirs(dict(enumerate(curves)), iqms, band_part),
        ),
    )
    print(f"{options.methods} methods, {options.tasks} tasks, {options.seeds} seeds")
    print(f"{'statistic':24}{'resamples':>10}{'harness':>10}{'rliable':>10}{'ratio':>8}")
    for name, n_resamples, measured, ours, other in rows:
        mine = time_call(ours)
        reference = time_call(other) * n_resamples / measured
        print(f"{name:24}{n_resamples:>10,}{mine:>9.2f}s{reference:>9.0f}s{reference / mine:>7.0f}x")


if __name__ == "__main__":
    main()
