"""What intervals and verdicts are worth, in sentences that quote the measured table (benchmarks/interval_coverage.py)."""

from __future__ import annotations

from typing import Literal

from harness.analysis import coverage
from harness.analysis.bootstrap import EXPANDED, IntervalKind
from harness.analysis.significance import SIGNIFICANCE_LEVEL


def coverage_of_few_seeds(intervals: IntervalKind) -> str:
    """How often intervals hold the truth with few seeds."""
    measured = [
        f"{coverage.describe('mean', 'normal', 1, intervals)} for the mean of one task with normally distributed scores",
        f"{coverage.describe('mean', 'lognormal', 1, intervals)} where scores are skewed (lognormal)",
        f"{coverage.describe('iqm', 'normal', 3, intervals)} for the IQM over three tasks",
    ]
    simulations = coverage.number_of_simulations()
    return f"In {simulations} simulations each, nominal 95 % intervals held the truth in {'; '.join(measured)}"


def overlap_of_intervals(intervals: IntervalKind) -> str:
    """How often the intervals of methods that do not differ lie apart."""
    rates = coverage.describe("iqms apart", "normal", 1, intervals)
    return (
        f"In simulations of methods that do not differ, their intervals lay apart in {rates} (one task); intervals that"
        " overlap, on the other hand, decide nothing. Look at the probability of improvement and its p value."
    )


def rate_of_verdicts() -> str:
    """How often a verdict is given of methods that do not differ."""
    return (
        f"A verdict needs p < {SIGNIFICANCE_LEVEL:g} in an exact rank test within tasks, not an interval without 0.5. In"
        f" simulations of methods that do not differ it came up in {coverage.describe('verdict', 'normal', 1, 'test')} on one"
        f" task, {coverage.describe('verdict', 'normal', 3, 'test')} on three. With 3 seeds on one task it cannot come up."
    )


def bands(intervals: IntervalKind, what: Literal["profile", "curve"], tasks: Literal[1, 3] = 3) -> str:
    """What a band of a profile or a curve holds.

    Args:
        intervals: How bands were made.
        what: Whose band it is.
        tasks: Number of tasks for which the measured share is quoted.
    """
    rates = coverage.describe("whole profile" if what == "profile" else "whole curve", "normal", tasks, intervals)
    held = f"({'one task' if tasks == 1 else 'three tasks'}, simulated: {rates})"
    if intervals == EXPANDED:
        return f"The bands are to hold whole {what}s in 95 % of cases {held}, so they are wider than intervals at one point."
    return f"The bands hold at each point by itself; whole {what}s lie within them far less often {held}."
