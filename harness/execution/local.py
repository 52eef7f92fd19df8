"""The executor ``local``: worker processes on this machine, each training one run after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from harness.execution.attempt import TRAIN
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
    tell = on_event or (lambda event: None)
    waiting, outcomes = deque(specs), dict[str, Outcome]()

    def start_next() -> None:
        if not waiting:
            crew.dismiss_idle()
            return
        spec = waiting.popleft()
        crew.start(spec)
        tell(Started(spec))

    try:
        for _ in range(min(workers or default_workers(specs), len(specs))):
            start_next()
        while crew.running:
            for event in crew.wait():
                if isinstance(event, Ended):
                    outcomes[event.outcome.spec.path] = event.outcome
                tell(event)
                if isinstance(event, Ended):
                    start_next()
        return [outcomes[spec.path] for spec in specs]
    finally:
        crew.close()
