"""The progress of a running suite: updated by an executor's events, read by the views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import harmonic_mean

from harness.execution.events import Outcome, RunEnded, RunEvent, RunHeld, RunProgressed, RunQuiet, RunStarted, StopRequested
from harness.runs.progress import RunProgress
from harness.runs.status import RunSummary
from harness.spec import RunSpec


@dataclass
class ActiveRun:
    """A run under way; `progress` is ``None`` until its process has loaded everything and reports."""

    spec: RunSpec
    progress: RunProgress | None = None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the run is finished, at the speed of this attempt."""
        if self.progress is None or self.progress.steps_per_second <= 0:
            return None
        return (self.progress.steps - self.progress.step) / self.progress.steps_per_second


class SuiteProgress:
    """The progress of one executor call.

    Args:
        summaries: The state of each of its runs before the call.
        finished: Number of runs of the plan that were finished before.
    """

    def __init__(self, summaries: Sequence[RunSummary], finished: int = 0) -> None:
        self.total = len(summaries) + finished
        self.finished = finished
        self.failed = self.claimed = 0
        self.running: dict[str, ActiveRun] = {}
        self.held: dict[str, tuple[RunSpec, str]] = {}
        self._interrupted: list[RunSpec] = []
        self._left = {run.spec.path: (run.spec.method, run.steps_left) for run in summaries}
        self._speeds: dict[str, float] = {}

    @property
    def waiting(self) -> int:
        """The number of runs that nobody has started."""
        ended = self.finished + self.failed + self.claimed + len(self._interrupted)
        return self.total - ended - len(self.running) - len(self.held)

    @property
    def stopped(self) -> list[RunSpec]:
        """The runs that were asked to stop, and those that were under way when no more was heard of them."""
        return [*self._interrupted, *(run.spec for run in self.running.values())]

    @property
    def seconds_left(self) -> float | None:
        """Until everything has ended, with each method at the speed last seen; ``None`` before any run has reported."""
        if not self._speeds:
            return None
        typical = harmonic_mean(list(self._speeds.values()))
        total = sum(steps / self._speeds.get(method, typical) for method, steps in self._left.values())
        return total / max(len(self.running), 1)

    def update(self, event: RunEvent) -> None:
        """Update the counts from an event."""
        match event:
            case RunStarted(spec):
                self.held.pop(spec.path, None)
                self.running[spec.path] = ActiveRun(spec)
            case RunProgressed(spec, progress):
                self.running[spec.path].progress = progress
                self._left[spec.path] = spec.method, progress.steps - progress.step
                if progress.steps_per_second > 0:
                    self._speeds[spec.method] = progress.steps_per_second
            case RunEnded(outcome):
                self._end(outcome)
            case RunHeld(spec, reason):
                self.running.pop(spec.path, None)
                self.held[spec.path] = spec, reason
            case RunQuiet() | StopRequested():
                pass

    def _end(self, outcome: Outcome) -> None:
        self.running.pop(outcome.spec.path, None)
        self.held.pop(outcome.spec.path, None)
        self._left.pop(outcome.spec.path, None)
        match outcome.ending:
            case "finished":
                self.finished += 1
            case "failed":
                self.failed += 1
            case "claimed":
                self.claimed += 1
            case "interrupted":
                self._interrupted.append(outcome.spec)

    def counts(self) -> str:
        """The state in a few words, such as ``12 of 30 runs finished, 2 running, 16 waiting``."""
        parts = [f"{self.finished} of {self.total} runs finished"]
        for number, word in (
            (len(self.running), "running"),
            (len(self._interrupted), "stopped"),
            (len(self.held), "in other hands"),
            (self.waiting, "waiting"),
            (self.failed, "failed"),
            (self.claimed, "left to others"),
        ):
            parts += [f"{number} {word}"] if number else []
        return ", ".join(parts)
