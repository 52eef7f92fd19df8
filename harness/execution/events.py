"""The events that an executor reports, and the outcome of each run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.runs.progress import RunProgress
from harness.spec import RunSpec

Ending = Literal["finished", "failed", "claimed", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Attributes:
        spec: Specification of the run.
        ending: ``finished``, ``failed``, ``claimed`` (another process is at it, so it was left alone) or ``interrupted`` (it
            was to stop, or was not even started; resumable).
        error: One line; empty when it finished.
        elsewhere: Whether another process brought it to its end.
    """

    spec: RunSpec
    ending: Ending
    error: str = ""
    elsewhere: bool = False


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


@dataclass(frozen=True)
class RunHeld:
    """Another process has a run: it is waited for, and if that process dies, the run is trained here.

    Attributes:
        spec: Specification of the run.
        reason: Which process it is, in a few words.
    """

    spec: RunSpec
    reason: str


@dataclass(frozen=True)
class RunQuiet:
    """A run has not reported any progress for a long time.

    Attributes:
        spec: Specification of the run.
        seconds: Time since its last report, or since its start.
        progress: Its last report; ``None`` before the first, while everything is loaded and made.
    """

    spec: RunSpec
    seconds: float
    progress: RunProgress | None


@dataclass(frozen=True)
class StopRequested:
    """The runs under way were asked to save at their next update and stop there.

    Attributes:
        waiting: The specifications of these runs; each will have a `RunEnded`.
    """

    waiting: tuple[RunSpec, ...]


RunEvent = RunStarted | RunProgressed | RunEnded | RunHeld | RunQuiet | StopRequested
OnRunEvent = Callable[[RunEvent], None]
