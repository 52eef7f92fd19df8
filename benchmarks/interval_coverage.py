"""How often intervals, bands and verdicts of the report are right, by simulation where the truth is known.

    python benchmarks/interval_coverage.py [--simulations 500] [--resamples 1000] [--write]

Every figure is of the functions that the report calls. Coverage: how often a nominal 95 % interval holds the truth. Null
comparisons: two methods that do not differ, and how often it looks as if they did. ``--write`` replaces the table that the
report quotes, `harness/analysis/coverage.csv`. Two simulated methods share no seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from harness.analysis import statistics
from harness.analysis.bootstrap import INTERVAL_KINDS, Band, IntervalEstimate
from harness.analysis.coverage import COVERAGE_FILE
from harness.analysis.curves import curve
from harness.analysis.significance import SIGNIFICANCE_LEVEL, rank_sum

SEEDS = (3, 5, 10)
TASKS = (1, 3)
POINTS = 10
THRESHOLDS = np.linspace(-2, 3, 26)
Draw = Callable[[np.random.Generator, int], np.ndarray]
Hits = dict[tuple[str, str], list[bool]]


class Scores(NamedTuple):
    """A distribution of scores.

    Attributes:
        draw: Gives that many of them.
        mean, iqm: Their mean, and the mean of their middle half.
        exceeding: The share of them above each of some thresholds.
    """

    draw: Draw
    mean: float
    iqm: float
    exceeding: Callable[[np.ndarray], np.ndarray]


def _distributions() -> dict[str, Scores]:
    many = np.sort(np.random.default_rng(0).lognormal(size=2_000_001))
    middle = float(many[many.size // 4 : -(many.size // 4)].mean())
    normal = np.sort(np.random.default_rng(0).normal(size=2_000_001))
    above = lambda scores: lambda at: 1 - np.searchsorted(scores, at, side="right") / scores.size  # noqa: E731
    return {
        "normal": Scores(lambda rng, n: rng.normal(size=n), 0.0, 0.0, above(normal)),
        "0 or 1": Scores(
            lambda rng, n: (rng.random(n) < 0.5).astype(float),
            0.5,
            0.5,
            lambda at: np.select([at < 0, at < 1], [1.0, 0.5], 0.0),
        ),
        "lognormal": Scores(lambda rng, n: rng.lognormal(size=n), float(np.exp(0.5)), middle, above(many)),
    }


def _holds(estimate: IntervalEstimate, truth: float) -> bool:
    _, low, high = estimate
    return low is not None and high is not None and low - 1e-9 <= truth <= high + 1e-9


def _band_holds(band: Band, truth: np.ndarray) -> bool:
    return bool(((band.low - 1e-9 <= truth) & (truth <= band.high + 1e-9)).all())


def _apart(x: IntervalEstimate, y: IntervalEstimate) -> bool:
    assert x.low is not None and x.high is not None and y.low is not None and y.high is not None
    return x.low > y.high or y.low > x.high


def _simulate(scores: Scores, tasks: int, seeds: int, rng: np.random.Generator, resamples: int, hits: Hits) -> None:
    """One experiment with two methods that do not differ, and what is said about it."""

    def note(what: str, kind: str, right: bool) -> None:
        hits.setdefault((what, kind), []).append(right)

    x, y = ([scores.draw(rng, seeds) for _ in range(tasks)] for _ in range(2))
    for kind in INTERVAL_KINDS:
        ours, theirs = (statistics.aggregates(cells, rng, resamples, kind) for cells in (x, y))
        note("mean", kind, _holds(ours["mean"], scores.mean))
        note("iqm", kind, _holds(ours["iqm"], scores.iqm))
        note("iqms apart", kind, _apart(ours["iqm"], theirs["iqm"]))
        improvement = statistics.probability_of_improvement(x, y, rng, resamples, kind)
        note("improvement without one half", kind, not _holds(improvement, 0.5))
        profile = statistics.performance_profile(x, THRESHOLDS, rng, resamples, kind)
        note("whole profile", kind, _band_holds(profile, scores.exceeding(THRESHOLDS)))
    note("verdict", "test", rank_sum(x, y) < SIGNIFICANCE_LEVEL)


def _simulate_curves(tasks: int, seeds: int, rng: np.random.Generator, resamples: int, hits: Hits) -> None:
    """One method whose score rises over training, with noise that lasts from one evaluation to the next."""
    truth = np.linspace(0, 1, POINTS)
    noise = rng.normal(size=(tasks, seeds, POINTS))
    for at in range(1, POINTS):
        noise[..., at] = 0.8 * noise[..., at - 1] + 0.6 * noise[..., at]
    for kind in INTERVAL_KINDS:
        band = curve(list(truth + 0.3 * noise), rng, iqm=tasks > 1, n_resamples=resamples, intervals=kind)
        hits.setdefault(("whole curve", kind), []).append(_band_holds(band, truth))


def simulate(
    simulations: int, resamples: int, *, quiet: bool = False, only: Sequence[tuple[str, int, int]] = ()
) -> Iterator[dict[str, object]]:
    """A row for each figure: what it is of, and the share of simulations in which it came true.

    Args:
        simulations: Experiments of each kind.
        resamples: Resamples of each bootstrap.
        quiet: Whether to say nothing on the way.
        only: Distributions, numbers of tasks and of seeds to simulate; empty for all.
    """
    distributions = _distributions()
    for (name, scores), tasks, seeds in product(distributions.items(), TASKS, SEEDS):
        if only and (name, tasks, seeds) not in only:
            continue
        rng = statistics.named_generator("coverage", name, str(tasks), str(seeds))
        hits: Hits = {}
        for _ in range(simulations):
            _simulate(scores, tasks, seeds, rng, resamples, hits)
            if name == "normal":
                _simulate_curves(tasks, seeds, rng, resamples, hits)
        for (what, kind), found in hits.items():
            row = {"what": what, "intervals": kind, "scores": name, "tasks": tasks, "seeds": seeds}
            yield row | {"rate": round(float(np.mean(found)), 3), "simulations": simulations}
        if not quiet:
            print(f"{name}, {tasks} task{'s' * (tasks > 1)}, {seeds} seeds", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help=f"replace {COVERAGE_FILE.name}")
    options = parser.parse_args()
    table = pl.DataFrame(list(simulate(options.simulations, options.resamples))).sort(
        "what", "intervals", "scores", "tasks", "seeds"
    )
    wide = table.pivot("seeds", index=["what", "intervals", "scores", "tasks"], values="rate")
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(wide)
    if options.write:
        Path(COVERAGE_FILE).write_text(table.write_csv())


if __name__ == "__main__":
    main()
