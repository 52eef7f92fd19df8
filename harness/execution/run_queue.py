"""A queue of runs that respects which run starts from which other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.execution.attempt import record_failure
from harness.execution.events import Outcome
from harness.spec import RunSpec

_WHAT_BECAME = {"failed": "failed", "claimed": "is in other hands", "interrupted": "was stopped"}


class RunQueue:
    """The runs of one executor call that have not been started.

    Args:
        specs: Specifications, in the order in which they should start. A run that begins where another of them ends
            (`RunSpec.start`) waits for it; what it begins from may also have finished before, and is then none of them.
    """

    def __init__(self, specs: Sequence[RunSpec]) -> None:
        self._waiting = list(specs)
        self._unfinished = {spec.path for spec in specs}

    def __len__(self) -> int:
        return len(self._waiting)

    def next(self) -> RunSpec | None:
        """Remove and return the first run that is ready to start; ``None`` if there is none."""
        spec = next((spec for spec in self._waiting if not self._waits(spec)), None)
        if spec is not None:
            self._waiting.remove(spec)
        return spec

    def put_back(self, spec: RunSpec) -> None:
        """Have a run that could not be started be the next one."""
        self._waiting.insert(0, spec)

    def record_outcome(self, outcome: Outcome) -> Iterator[Outcome]:
        """Record the outcome of a run; drop each run that can no longer start, and yield its outcome."""
        self._unfinished.discard(outcome.spec.path)
        if outcome.ending == "finished":
            return
        for spec in [spec for spec in self._waiting if spec.start and spec.start.path == outcome.spec.path]:
            self._waiting.remove(spec)
            what = _WHAT_BECAME[outcome.ending]
            ended = Outcome(spec, outcome.ending, f"{outcome.spec.label}, from which it begins, {what}: {outcome.error}")
            yield ended
            yield from self.record_outcome(ended)

    def drop_all(self) -> list[Outcome]:
        """Drop the runs that have not been started, and return their outcomes."""
        dropped, self._waiting = self._waiting, []
        return [Outcome(spec, "interrupted", "stopped before it was started") for spec in dropped]

    def _waits(self, spec: RunSpec) -> bool:
        return spec.start is not None and spec.start.path in self._unfinished


def settle(queue: RunQueue, outcome: Outcome, results: Path) -> list[Outcome]:
    """Record the outcome of a run in a queue, and in their folders the failure of those that can no longer start.

    Args:
        queue: The queue that the run came from.
        outcome: How the run ended.
        results: The results directory.

    Returns:
        The outcome, and after it those of the runs that were to begin where this one ended and now cannot.
    """
    dropped = list(queue.record_outcome(outcome))
    for each in dropped:
        if each.ending == "failed":
            record_failure(each.spec, results, each.error, each.error)
    return [outcome, *dropped]
