"""The events that an executor reports, and the outcome of each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from harness.runs.progress import RunProgress
from harness.spec import RunSpec

Ending = Literal["finished", "failed", "claimed"]


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Attributes:
        spec: The run.
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


class Execute(Protocol):
    """What the import path of an `harness.registry.hooks.Executor` names."""

    def __call__(
        self,
        specs: Sequence[RunSpec],
        *,
        results: Path,
        workers: int | None = None,
        device: str = "auto",
        fresh: bool = False,
        on_event: OnRunEvent | None = None,
    ) -> list[Outcome]:
        """Train every run, each into its own folder below ``results``; a failure of one does not stop the others.

        Args:
            specs: The runs, none of them finished (or ``fresh``), in the order in which they should start. One that begins
                where another of them ends must wait for it; `harness.execution.backlog.RunQueue` knows which.
            results: The results directory.
            workers: Runs at a time; ``None`` for as many as fit.
            device: ``auto``, ``cpu`` or ``cuda``.
            fresh: Start over what is there instead of resuming it.
            on_event: Called in the calling thread.

        Returns:
            One outcome per run, in the order of ``specs``.

        Raises:
            KeyboardInterrupt: The workers are stopped and everything so far is resumable.
        """
        ...
