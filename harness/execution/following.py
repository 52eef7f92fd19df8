"""Runs that other processes train, seen through their folders, which is all that an executor brings back of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import ResultsError
from harness.execution.events import Outcome, RunEnded, RunEvent, RunProgressed, RunStarted
from harness.runs.folder import HistoryEntry, RunFolder
from harness.runs.progress import RunProgress
from harness.runs.status import read_plan
from harness.spec import RunSpec


class RunFollower:
    """Turns what appears in the folders of runs into the events of `harness.execution.events`.

    Args:
        specs: The runs to follow. What their folders hold now counts as the past: a failure of before is no event.
        results: The results directory, on a disk that is shared with whoever trains the runs.
        fresh: Whether the runs start over, so that even a finished one is the past.
    """

    def __init__(self, specs: Sequence[RunSpec], results: Path, *, fresh: bool = False) -> None:
        self._results, self._fresh = results, fresh
        self._following: dict[str, RunSpec] = {spec.path: spec for spec in specs}
        self._past = {spec.path: _history(RunFolder.of(spec, results)) for spec in specs}
        self._seen: dict[str, tuple[int, ...]] = {}
        self._started: set[str] = set()

    @property
    def following(self) -> list[RunSpec]:
        """The runs of which no ending has been seen."""
        return list(self._following.values())

    def look(self) -> list[RunEvent]:
        """The events since the last look; only folders in which a file has changed are read."""
        found: list[RunEvent] = []
        for spec in self.following:
            folder = RunFolder.of(spec, self._results)
            now = _changes(folder)
            if now and now != self._seen.get(spec.path):
                self._seen[spec.path] = now
                found += self._events(spec, folder)
        return found

    def settle(self, spec: RunSpec) -> None:
        """Follow a run no longer, because its ending is known from elsewhere."""
        self._following.pop(spec.path, None)

    def _events(self, spec: RunSpec, folder: RunFolder) -> Iterator[RunEvent]:
        try:
            (run,) = read_plan([spec], self._results).runs
            history = _history(folder)
        except ResultsError:  # it is being replaced, or of another kind, which whoever trains the run will say
            return
        past = history == self._past[spec.path]
        if run.state not in ("running", "finished", "failed") or (past and (run.state == "failed" or self._fresh)):
            return
        if spec.path not in self._started:
            self._started.add(spec.path)
            yield RunStarted(spec)
        phase = spec.phases[spec.phase_at(run.step)].name if spec.phases else None
        yield RunProgressed(spec, RunProgress(run.step, spec.steps, run.steps_per_second, run.score, phase))
        if run.state != "running":
            self.settle(spec)
            yield RunEnded(Outcome(spec, run.state, run.error))


def _history(folder: RunFolder) -> list[HistoryEntry]:
    try:
        return folder.read().status.history
    except ResultsError:
        return []


def _changes(folder: RunFolder) -> tuple[int, ...]:
    """What differs after a file of the run has changed; empty without a record."""
    found: list[int] = []
    for file in (folder.record_file, folder.progress_file):
        try:
            status = file.stat()
        except OSError:
            continue
        found += [status.st_ino, status.st_mtime_ns, status.st_size]
    return tuple(found) if folder.record_file.exists() else ()
