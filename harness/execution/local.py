"""The executor ``local``: worker processes on this machine, each training one run after another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.execution.attempt import TRAIN, record_failure
from harness.execution.backlog import Backlog
from harness.execution.capacity import default_workers
from harness.execution.crew import Crew
from harness.execution.events import Ended, OnEvent, Outcome, Started
from harness.spec import RunSpec


def execute(
    specs: Sequence[RunSpec],
    *,
    results: Path,
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
    on_event: OnEvent | None = None,
    train: str = TRAIN,
) -> list[Outcome]:
    """Train every run; see `harness.execution.events.Execute`.

    Args:
        specs: The runs, in the order in which they should start.
        results: The results directory.
        workers: Processes; ``None`` for one per core, or fewer where memory is short.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: Start over what is there instead of resuming it.
        on_event: Called in this thread.
        train: Import path of the function that trains a run.
    """
    crew = Crew(results, device=device, fresh=fresh, train=train)
    queue = _Queue(specs, Path(results), crew, on_event or (lambda event: None))
    try:
        return queue.run(workers or default_workers(specs))
    finally:
        crew.close()


class _Queue:
    """The runs of one call of `execute`, and the crew that works on them."""

    def __init__(self, specs: Sequence[RunSpec], results: Path, crew: Crew, on_event: OnEvent) -> None:
        self._specs, self._results, self._crew, self._on_event = specs, results, crew, on_event
        self._backlog = Backlog(specs)
        self._outcomes: dict[str, Outcome] = {}

    def run(self, workers: int) -> list[Outcome]:
        while True:
            self._start(workers)
            if not self._crew.running:
                return [self._outcomes[spec.path] for spec in self._specs]
            for event in self._crew.wait():
                if isinstance(event, Ended):
                    self._ended(event.outcome)
                    self._start(workers)
                else:
                    self._on_event(event)

    def _start(self, workers: int) -> None:
        """Start runs that need not wait while there are fewer than wanted under way; let go who has nothing to do."""
        while self._crew.running < workers and (spec := self._backlog.next()):
            self._crew.start(spec)
            self._on_event(Started(spec))
        if self._crew.running < workers:
            self._crew.dismiss_idle()

    def _ended(self, outcome: Outcome) -> None:
        for each in (outcome, *self._backlog.end(outcome)):
            if each is not outcome and each.ending == "failed":
                record_failure(each.spec, self._results, each.error, each.error)
            self._outcomes[each.spec.path] = each
            self._on_event(Ended(each))
