"""The tracker; this module is imported in a process of its own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.tracking.base import Ending, RunTracker, TrackedRun
from harness_jsonlog.config import JsonLogConfig


class JsonLogTracker(RunTracker):
    """One file for each run, over all its attempts."""

    config: JsonLogConfig

    def begin(self, run: TrackedRun) -> str:
        """Make a file, or go on with that of an earlier attempt, and return its name for the next one."""
        name = run.id or f"{run.kind}-{uuid.uuid4().hex}"
        folder = Path(self.config.folder) if self.config.folder else run.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{name}.jsonl").open("a", encoding="utf-8")
        self._write(begun=run.name, digest=run.digest, step=run.step, spec=dict(run.config))
        return name

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write the numbers of an update, or the means of an evaluation."""
        self._write(step=step, metrics=dict(metrics))

    def flush(self) -> None:
        """Hand everything to the system."""
        self._file.flush()

    def add_report(self, folder: Path) -> None:
        """Write where the report lies."""
        self._write(report=str(folder / "index.html"))

    def end(self, ending: Ending) -> None:
        """Close the file."""
        self._write(ended=ending)
        self._file.close()

    def _write(self, **content: Any) -> None:
        self._file.write(json.dumps(content) + "\n")
