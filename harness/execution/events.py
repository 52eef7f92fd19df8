"""The events that an executor reports, and the outcome of each run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.runs.progress import RunProgress
from harness.spec import RunSpec

Ending = Literal["finished", "failed", "claimed"]


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Attributes:
        spec: Specification of the run.
        ending: ``finished``, ``failed``, or ``claimed``: another process is at it, so it was left alone.
        error: One line; empty when it finished.
    """

    spec: RunSpec
    ending: Ending
    error: str = ""


@dataclass(frozen=True)
class RunStarted:
    """A worker started a run."""

    spec: RunSpec


@dataclass(frozen=True)
class RunProgressed:
    """A run made progress."""

    spec: RunSpec
    progress: RunProgress


@dataclass(frozen=True)
class RunEnded:
    """A run is over."""

    outcome: Outcome


RunEvent = RunStarted | RunProgressed | RunEnded
OnRunEvent = Callable[[RunEvent], None]
