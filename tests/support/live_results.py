"""Runs under way without training: folders as training writes them, held by the calling process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from report.synthetic import STEPS, make_spec

from harness.runs.files import csv_text
from harness.runs.folder import Attempt, RunFolder, RunRecord, RunStatus
from harness.runs.lock import Claim

STARTED = "2026-11-27T10:00:00+00:00"


class LiveRun:
    """A run of this process, which holds it until it ends."""

    def __init__(self, results: Path, task: str = "north", method: str = "rnd", seed: int = 0, **changes: Any) -> None:
        self.spec = make_spec(task, method, seed, **changes)
        self.folder = RunFolder.of(self.spec, results)
        self.folder.path.mkdir(parents=True)
        self._claim: Claim | None = None
        self._evaluations: list[tuple[float, ...]] = []
        self.hold()
        status = RunStatus(state="running", step=0, steps=STEPS, started=STARTED, updated=STARTED)
        attempt = Attempt(started=STARTED, step=0, host="here", provenance={})
        digests = {"digest": self.spec.digest, "method_digest": self.spec.method_digest}
        self.folder.write(RunRecord(spec=self.spec, provenance={}, status=status, attempts=[attempt], **digests))

    def hold(self) -> None:
        """Claim the folder."""
        self._claim = Claim(self.folder.path / "claim")
        self._claim.acquire()

    def release(self) -> None:
        """Give the folder back, as a process does that ends."""
        if self._claim:
            self._claim.release()
        self._claim = None

    def progress(self, step: int, speed: float = 100.0) -> None:
        """Log a row."""
        rows = [("time/total_timesteps", "time/fps"), (step, speed)]
        self.folder.progress_file.write_text(csv_text(rows))

    def evaluate(self, step: int, score: float) -> None:
        """Evaluate two episodes."""
        self._evaluations += [(step, episode, score, 100) for episode in range(2)]
        self.folder.evaluations_file.write_text(csv_text([("step", "episode", "return", "length"), *self._evaluations]))

    def finish(self, score: float = 5.0) -> None:
        """End well."""
        self.evaluate(STEPS, score)
        self.folder.set_state("finished", step=STEPS, score=score)
        self.release()

    def fail(self, error: str) -> None:
        """End badly."""
        self.folder.set_state("failed", error=error)
        self.release()
