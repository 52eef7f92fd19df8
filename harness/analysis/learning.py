"""How fast runs learn, in numbers: areas under learning curves and steps to a score; pure functions of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.analysis.bootstrap import Array


def area_under_curve(steps: Array, scores: Array) -> float:
    """The mean score over training: the area under a curve by the trapezoidal rule, divided by the steps that it spans.

    Args:
        steps: Steps of evaluations, ascending, ``(K,)``.
        scores: The score at each, ``(K,)``.
    """
    span = float(steps[-1] - steps[0])
    return float(np.trapezoid(scores, steps)) / span if span > 0 else float(scores[-1])


class Arrival(NamedTuple):
    """When a run reached a score.

    Attributes:
        at: The first step at which it was measured there; the last measured step where it was not.
        reached: Whether it got there; if not, all that is known is that it takes more than ``at`` ("censored").
    """

    at: float
    reached: bool


def steps_to_threshold(steps: Array, scores: Array, threshold: float) -> Arrival:
    """The first evaluation whose score is at least ``threshold``.

    Args:
        steps: Steps of evaluations, ascending, ``(K,)``.
        scores: The score at each, ``(K,)``.
        threshold: The score to reach.
    """
    (there,) = np.nonzero(scores >= threshold)
    return Arrival(float(steps[there[0]]), True) if there.size else Arrival(float(steps[-1]), False)


def median_arrival(times: ArrayLike, reached: Sequence[bool]) -> float | None:
    """The median of times of which some are only known to be larger, after Kaplan and Meier.

    Args:
        times: When each run arrived, or how long it is known not to have, in any unit, ``(n,)``.
        reached: Whether each run arrived.

    Returns:
        The first time by which half of all runs are estimated to have arrived; ``None`` where it lies beyond what was
        measured.
    """
    observed, arrived = np.asarray(times, dtype=np.float64), np.asarray(reached, dtype=bool)
    remaining = 1.0
    for time in np.unique(observed[arrived]):
        at_risk = int((observed >= time).sum())
        remaining *= 1 - int((observed[arrived] == time).sum()) / at_risk
        if remaining <= 0.5 + 1e-12:
            return float(time)
    return None
