"""How often intervals hold the truth, as measured: the one table that the report's sentences quote."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal, cast

import polars as pl

from harness.analysis.bootstrap import EXPANDED, IntervalKind

COVERAGE_FILE = files("harness.analysis") / "coverage.csv"
"""Written by benchmarks/interval_coverage.py: simulations of scores whose truth is known."""

SEEDS = (3, 5, 10)
"""Numbers of seeds that were simulated."""

Figure = Literal["mean", "iqm", "whole profile", "whole curve", "iqms apart", "improvement without one half", "verdict"]
"""What was measured: how often an interval or a band holds the truth, and how often methods that do not differ look as if
they did because their intervals lie apart, because that of the improvement leaves one half out, or by the report's verdict."""


def measured(
    figure: Figure, scores: str, tasks: int, seeds: int, intervals: IntervalKind | Literal["test"] = EXPANDED
) -> float:
    """A share of the simulations.

    Args:
        figure: What was measured.
        scores: How scores are distributed: ``normal``, ``lognormal`` or ``0 or 1``.
        tasks: Number of tasks, 1 or 3.
        seeds: Number of seeds, one of `SEEDS`.
        intervals: How intervals were made, or the verdict's ``test``.
    """
    rows = read_table().filter(what=figure, scores=scores, tasks=tasks, seeds=seeds, intervals=intervals)
    return cast(float, rows["rate"].item())


def number_of_simulations() -> int:
    """The simulations behind each figure."""
    return cast(int, read_table()["simulations"].min())


def describe(figure: Figure, scores: str, tasks: int, intervals: IntervalKind | Literal["test"] = EXPANDED) -> str:
    """The figures for all numbers of seeds in words, such as ``92 % with 3 seeds, 94 % with 5 and 95 % with 10``."""
    shares = [f"{100 * measured(figure, scores, tasks, seeds, intervals):.0f} % with {seeds}" for seeds in SEEDS]
    return f"{shares[0]} seeds, {', '.join(shares[1:-1])} and {shares[-1]}"


@cache
def read_table() -> pl.DataFrame:
    """The table as it was committed."""
    return pl.read_csv(COVERAGE_FILE.read_bytes())
