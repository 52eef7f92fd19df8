"""One run's folder: its layout, its ``run.json``, and the claim that keeps two processes from writing it at once."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from harness.errors import ResultsError
from harness.runs.files import TEMPORARY, write_json_atomic
from harness.runs.lock import Claim
from harness.spec import RunSpec

FolderState = Literal["running", "finished", "failed", "interrupted"]

RECORD_FORMAT = 1

STUDIES = "tuning"
"""The folder of a suite's studies, below its results."""

COMMAND_VARIABLE = "HARNESS_COMMAND"
"""Environment variable by which the command line tells its workers how it was called, for each run's provenance."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class HistoryEntry(_Record):
    """One change of state."""

    state: FolderState
    time: str
    step: int
    host: str
    pid: int
    error: str | None = None


class RunStatus(_Record):
    """The progress of a run, as recorded in ``run.json``.

    Attributes:
        state: The last state that was written; see `RunFolder.state` for the truth about ``running``.
        step: Number of steps taken.
        steps: Steps of the whole run.
        started: Start of the first attempt, ISO 8601 in UTC.
        updated: Last change of this record, ISO 8601 in UTC.
        seconds: Wall-clock seconds of training that led to `step`, over all attempts.
        steps_per_second: Measured over the current or last attempt.
        score: Mean return of the latest evaluation.
        replay_bytes: Disk that the replay buffer takes beside the newest checkpoint; 0 on-policy and when finished.
        restores: How the environments come back when the run is resumed: by their saved ``state``, or by a ``replay`` of their
            actions; ``None`` in records of before there was the second.
        logged_steps: Steps of each environment that resuming from the newest checkpoint would do again; 0 when finished.
        error: One line, if the last attempt failed.
        attempts: How often the run was started or resumed.
        history: Every change of state, oldest first.
    """

    state: FolderState
    step: int
    steps: int
    started: str
    updated: str
    seconds: float = 0.0
    steps_per_second: float = 0.0
    score: float | None = None
    replay_bytes: int = 0
    restores: Literal["state", "replay"] | None = None
    logged_steps: int = 0
    error: str | None = None
    attempts: int = 1
    history: list[HistoryEntry] = []


class Attempt(_Record):
    """Where and with what a run was begun or resumed.

    Attributes:
        started: Start of the attempt, ISO 8601 in UTC.
        step: The step that it went on from; 0 if it began anew.
        host: Name of the machine.
        provenance: Versions, machine, device and command of this attempt.
    """

    started: str
    step: int
    host: str
    provenance: dict[str, JsonValue]


class RunRecord(_Record):
    """The content of ``run.json``; ``provenance`` is that of the last attempt, ``attempts`` has one of each."""

    format: Literal[1] = RECORD_FORMAT
    digest: str
    method_digest: str
    spec: RunSpec
    provenance: dict[str, JsonValue]
    status: RunStatus
    attempts: list[Attempt] = []

    def with_attempt(self, step: int, provenance: dict[str, JsonValue]) -> RunRecord:
        """The record with one more attempt; the only one that a record of before December 2026 tells of becomes the first.

        Args:
            step: The step that the attempt goes on from.
            provenance: Versions, machine, device and command.
        """
        known = self.attempts
        if not known and self.status.attempts and self.provenance:
            host = self.status.history[0].host if self.status.history else ""
            known = [Attempt(started=self.status.started, step=0, host=host, provenance=self.provenance)]
        new = Attempt(started=now(), step=step, host=socket.gethostname(), provenance=provenance)
        return self.model_copy(update={"provenance": provenance, "attempts": [*known, new]})


class RunFolder:
    """The folder of one run.

    Args:
        path: ``results/<suite>/<task>/<method>-<digest>/seed-<n>``; need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.record_file = self.path / "run.json"
        self.progress_file = self.path / "progress.csv"
        self.evaluations_file = self.path / "evaluations.csv"
        self.checkpoint = self.path / "checkpoint"
        self.replay = self.checkpoint / "replay"
        self.actions = self.checkpoint / "actions"
        self.error_log = self.path / "error.log"

    @classmethod
    def of(cls, spec: RunSpec, results: Path) -> RunFolder:
        """The folder that belongs to ``spec`` below the results directory."""
        return cls(Path(results) / spec.path)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    def read(self) -> RunRecord:
        """The run's record.

        Raises:
            ResultsError: When ``run.json`` is missing, truncated, or not a record of this format.
        """
        try:
            content = json.loads(self.record_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ResultsError(f"{self.record_file}: missing; this is not a run's folder") from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ResultsError(f"{self.record_file}: cannot be read ({error})") from error
        try:
            return RunRecord.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "content"
            raise ResultsError(
                f"{self.record_file}: not a run record of format {RECORD_FORMAT} ({where}: {first['msg']})"
            ) from None

    def state(self, record: RunRecord | None = None) -> FolderState:
        """The run's true state: ``running`` only while its owner lives, else ``interrupted``."""
        recorded = (record or self.read()).status.state
        return "interrupted" if recorded == "running" and not self._claim.held else recorded

    def write(self, record: RunRecord) -> None:
        """Replace ``run.json`` atomically."""
        write_json_atomic(self.record_file, record.model_dump(mode="json"))

    def set_state(self, state: FolderState, **fields: Any) -> RunRecord:
        """Write a new state into the record, with a line of history, and return it.

        Args:
            state: The new state.
            fields: Further fields of `RunStatus` to replace.
        """
        record = self.read()
        old = record.status
        step, error = fields.get("step", old.step), fields.get("error")
        entry = HistoryEntry(state=state, time=now(), step=step, host=socket.gethostname(), pid=os.getpid(), error=error)
        update = {"state": state, "updated": entry.time, "error": error, "history": [*old.history, entry], **fields}
        record = record.model_copy(update={"status": old.model_copy(update=update)})
        self.write(record)
        return record

    def update_status(self, **fields: Any) -> RunRecord:
        """Replace fields of the status without a change of state, and return the record."""
        record = self.read()
        record = record.model_copy(update={"status": record.status.model_copy(update={"updated": now(), **fields})})
        self.write(record)
        return record

    @property
    def _claim(self) -> Claim:
        return Claim(self.path / "claim")

    @contextmanager
    def claim(self) -> Generator[None]:
        """Own the folder for the duration of a block, creating it if need be.

        Raises:
            harness.runs.lock.AlreadyClaimed: When another living process owns it.
            ResultsError: When the folder cannot be created or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            claim = self._claim
            claim.acquire()
        except OSError as error:
            raise ResultsError(f"{self.path}: cannot be written ({error.strerror or error})") from error
        try:
            for leftover in self.path.glob(f"{TEMPORARY}*"):
                leftover.unlink(missing_ok=True)
            yield
        finally:
            claim.release()


def now() -> str:
    """The present in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def find_runs(root: Path) -> tuple[list[RunFolder], list[str]]:
    """Every run folder at or below ``root``, sorted by path, and one line for each that is skipped because it is unreadable.

    The runs of studies, below a folder `STUDIES`, are found only by a ``root`` that lies in there: a suite's results are its
    evaluations.

    Raises:
        ResultsError: When ``root`` does not exist or is not a folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise ResultsError(f"{root}: no such results directory")
    folders: list[RunFolder] = []
    skipped: list[str] = []
    for file in sorted(root.rglob("run.json")):
        if STUDIES in file.relative_to(root).parts:
            continue
        folder = RunFolder(file.parent)
        try:
            folder.read()
        except ResultsError as error:
            skipped.append(str(error))
        else:
            folders.append(folder)
    return folders, skipped
