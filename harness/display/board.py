"""How a suite under way stands: fed by an executor's events, asked by whoever draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import harmonic_mean

from harness.execution.events import Advanced, Ended, Event, Outcome, Started
from harness.progress import Progress
from harness.spec import RunSpec
from harness.status import RunStanding


@dataclass
class Row:
    """A run under way; `progress` is ``None`` until its process has loaded everything and reports."""

    spec: RunSpec
    progress: Progress | None = None

    @property
    def seconds_left(self) -> float | None:
        """At the speed of this attempt."""
        if self.progress is None or self.progress.steps_per_second <= 0:
            return None
        return (self.progress.steps - self.progress.step) / self.progress.steps_per_second


class Board:
    """The state of one call of an executor.

    Args:
        standings: The runs that it was given, as they stood before.
        finished: How many runs of the plan were finished before.
    """

    def __init__(self, standings: Sequence[RunStanding], finished: int = 0) -> None:
        self.total = len(standings) + finished
        self.finished = finished
        self.failed = self.claimed = 0
        self.running: dict[str, Row] = {}
        self._left = {run.spec.path: (run.spec.method, run.steps_left) for run in standings}
        self._speeds: dict[str, float] = {}

    @property
    def waiting(self) -> int:
        """Runs that have not been taken up."""
        return self.total - self.finished - self.failed - self.claimed - len(self.running)

    @property
    def seconds_left(self) -> float | None:
        """Until everything has ended, with each method at the speed last seen; ``None`` before any run has reported."""
        if not self._speeds:
            return None
        typical = harmonic_mean(list(self._speeds.values()))
        total = sum(steps / self._speeds.get(method, typical) for method, steps in self._left.values())
        return total / max(len(self.running), 1)

    def update(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case Started(spec):
                self.running[spec.path] = Row(spec)
            case Advanced(spec, progress):
                self.running[spec.path].progress = progress
                self._left[spec.path] = spec.method, progress.steps - progress.step
                if progress.steps_per_second > 0:
                    self._speeds[spec.method] = progress.steps_per_second
            case Ended(outcome):
                self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        self.running.pop(outcome.spec.path, None)
        self._left.pop(outcome.spec.path, None)
        match outcome.ending:
            case "finished":
                self.finished += 1
            case "failed":
                self.failed += 1
            case "claimed":
                self.claimed += 1

    def counts(self) -> str:
        """The state in a few words, such as ``12 of 30 runs finished, 2 running, 16 waiting``."""
        parts = [f"{self.finished} of {self.total} runs finished"]
        for number, word in (
            (len(self.running), "running"),
            (self.waiting, "waiting"),
            (self.failed, "failed"),
            (self.claimed, "in use elsewhere"),
        ):
            parts += [f"{number} {word}"] if number else []
        return ", ".join(parts)
