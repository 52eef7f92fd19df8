"""Runs of a plan that other processes have: found before they are started here, and watched until they are settled.

A run is settled when it has finished or failed elsewhere, or when nobody has it any more and it can be trained here. Nothing
but its folder is asked, so that it does not matter which machine the others are on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ResultsError
from harness.execution.events import Outcome
from harness.runs.claim_watch import ClaimWatch
from harness.runs.folder import RunFolder, RunStatus
from harness.spec import RunSpec

LOOK_SECONDS = 2.0
"""Time between two looks at a run that is waited for."""

_LOOKS_PER_SECOND = 50


@dataclass
class _Held:
    """A run that is watched; `failures` is how many its record knew when the watch began."""

    spec: RunSpec
    watch: ClaimWatch
    failures: int
    free_before: bool = False


class HeldRuns:
    """Knows which runs others have, and watches those that are waited for.

    Args:
        results: The results directory.
        fresh: Whether runs start over, so that one that is finished already counts for nothing.
        clock: Seconds that pass.
    """

    def __init__(self, results: Path, *, fresh: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._results, self._fresh, self._clock = results, fresh, clock
        self._held: dict[str, _Held] = {}
        self._next_look = 0.0

    def __len__(self) -> int:
        return len(self._held)

    def settled(self, spec: RunSpec) -> Outcome | None:
        """The outcome of a run that need not be started here: ``finished``, or ``claimed`` by another process."""
        folder = RunFolder.of(spec, self._results)
        with suppress(ResultsError, OSError):  # what is wrong with a folder, the attempt at its run will say
            if holder := folder.holder:
                return Outcome(spec, "claimed", f"in use by {holder}")
            if not self._fresh and (status := _status(folder, spec)) and status.state == "finished":
                return Outcome(spec, "finished", elsewhere=True)
        return None

    def add(self, spec: RunSpec) -> None:
        """Begin to watch a run."""
        folder = RunFolder.of(spec, self._results)
        self._held[spec.path] = _Held(spec, folder.watch_claim(), _failures(_status(folder, spec)))

    def drop_all(self) -> list[Outcome]:
        """Watch no run any more, and return their outcomes."""
        dropped, self._held = list(self._held.values()), {}
        return [Outcome(one.spec, "claimed", f"in use by {one.watch.owner or 'another process'}") for one in dropped]

    def look(self) -> Iterator[tuple[RunSpec, Outcome | None]]:
        """The runs that are settled since the last look, which are not watched any more.

        Yields:
            Each with its outcome elsewhere; with ``None`` if nobody has it, so that it can be trained here.
        """
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + max(LOOK_SECONDS, len(self._held) / _LOOKS_PER_SECOND)
        for path, held in list(self._held.items()):
            status: RunStatus | None = None
            try:
                free = held.watch.is_free()
                status = _status(RunFolder.of(held.spec, self._results), held.spec) if free else None
            except (ResultsError, OSError):  # the attempt will say what is wrong
                free = True
            # A worker that was killed has a parent, which may be about to record that the run failed.
            hasty = free and not held.free_before and status is not None and status.state == "running"
            held.free_before = free
            if free and not hasty:
                del self._held[path]
                yield held.spec, _outcome(held, status)


def _outcome(held: _Held, status: RunStatus | None) -> Outcome | None:
    if status is not None and status.state == "finished":
        return Outcome(held.spec, "finished", elsewhere=True)
    if status is not None and status.state == "failed" and _failures(status) > held.failures:
        return Outcome(held.spec, "failed", status.error or "", elsewhere=True)
    return None


def _status(folder: RunFolder, spec: RunSpec) -> RunStatus | None:
    """What the run's record says; ``None`` where there is none that can be used."""
    try:
        return folder.read(spec).status if folder.started else None
    except ResultsError:
        return None


def _failures(status: RunStatus | None) -> int:
    return 0 if status is None else sum(entry.state == "failed" for entry in status.history)
