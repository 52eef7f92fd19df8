"""The executor ``local``: worker processes on this machine, each training one run after another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.execution.attempt import TRAIN, record_failure
from harness.execution.backlog import RunQueue
from harness.execution.capacity import default_workers
from harness.execution.events import OnRunEvent, Outcome, RunEnded, RunStarted
from harness.execution.worker_pool import WorkerPool
from harness.spec import RunSpec


def execute(
    specs: Sequence[RunSpec],
    *,
    results: Path,
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
    on_event: OnRunEvent | None = None,
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
    pool = WorkerPool(results, device=device, fresh=fresh, train=train)
    execution = _Execution(specs, Path(results), pool, on_event or (lambda event: None))
    try:
        return execution.run(workers or default_workers(specs))
    finally:
        pool.close()


class _Execution:
    """The runs of one call of `execute`, and the worker pool that trains them."""

    def __init__(self, specs: Sequence[RunSpec], results: Path, pool: WorkerPool, on_event: OnRunEvent) -> None:
        self._specs, self._results, self._pool, self._on_event = specs, results, pool, on_event
        self._queue = RunQueue(specs)
        self._outcomes: dict[str, Outcome] = {}

    def run(self, workers: int) -> list[Outcome]:
        while True:
            self._start(workers)
            if not self._pool.running:
                return [self._outcomes[spec.path] for spec in self._specs]
            for event in self._pool.wait():
                if isinstance(event, RunEnded):
                    self._record_outcome(event.outcome)
                    self._start(workers)
                else:
                    self._on_event(event)

    def _start(self, workers: int) -> None:
        """Start runs that are ready while fewer than ``workers`` are running, then stop the idle workers."""
        while self._pool.running < workers and (spec := self._queue.next()):
            self._pool.start(spec)
            self._on_event(RunStarted(spec))
        if self._pool.running < workers:
            self._pool.stop_idle_workers()

    def _record_outcome(self, outcome: Outcome) -> None:
        for each in (outcome, *self._queue.record_outcome(outcome)):
            if each is not outcome and each.ending == "failed":
                record_failure(each.spec, self._results, each.error, each.error)
            self._outcomes[each.spec.path] = each
            self._on_event(RunEnded(each))
