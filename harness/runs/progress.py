"""The progress that a run reports while it trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run.

    Attributes:
        step: Steps taken, over all attempts.
        steps: Steps of the whole run.
        steps_per_second: Measured over this attempt.
        score: Mean return of the latest evaluation; ``None`` before the first.
        phase: Name of the present phase; ``None`` for a run without phases.
        replayed: While a resumed run brings its environments back, the share of their steps that is done; else ``None``.
        replay_seconds_left: Seconds until the rest of them is done; ``None`` while nobody knows.
        notice: What somebody who waits should know, such as that an evaluation takes long; ``None`` for nothing.
        remark: What went wrong beside the run, which goes on all the same; ``None`` for nothing.
        activity: What the run is at until it reports again, such as ``evaluation``.
    """

    step: int
    steps: int
    steps_per_second: float
    score: float | None = None
    phase: str | None = None
    replayed: float | None = None
    replay_seconds_left: float | None = None
    notice: str | None = None
    activity: str = "rollout"
    remark: str | None = None


ReportProgress = Callable[[RunProgress], None]
