"""One run's folder: its layout, its ``run.json``, and the claim that keeps two processes from writing it at once."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from harness.errors import ResultsError, RunError
from harness.runs.claim_file import is_dead
from harness.runs.claim_watch import ClaimObserver, ClaimWatch
from harness.runs.fencing import fenced, publishing
from harness.runs.files import TEMPORARY, write_json_atomic
from harness.runs.guarded import MIB, Unreadable, look, may, read_json, reason_of
from harness.runs.lock import Claim, LostClaim, Owner
from harness.runs.walk import find_files
from harness.spec import MAX_COUNT, RunSpec

FolderState = Literal["running", "finished", "failed", "interrupted"]

RECORD_FORMAT = 1

STUDIES = "tuning"
"""The folder of a suite's studies, below its results."""

FOLDERS_ABOVE_RUN = 3
"""How many folders lie between a run's files and the results directory: a method's, a task's and a suite's."""

RECORD_FILE = "run.json"

MAX_RECORD_BYTES = 16 * MIB

_CLAIM_FILE = "claim"
_CLAIM_DRAFTS = f"{TEMPORARY}{_CLAIM_FILE}"

_REMEMBERED_DIGESTS = 1000

COMMAND_VARIABLE = "HARNESS_COMMAND"
"""Environment variable by which the command line tells its workers how it was called, for each run's provenance."""


_Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class HistoryEntry(_Record):
    """One change of state."""

    state: FolderState
    time: str
    step: _Count
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
        memory_bytes: The most memory that was seen, of the process and of those that step environments; ``None`` in records of
            before it was measured.
        energy_joules: Energy that all processors of the machine took while it trained, whatever else they did; ``None`` where
            the machine does not tell.
        logged_steps: Steps of each environment that resuming from the newest checkpoint would do again; 0 when finished.
        error: One line, if the last attempt failed.
        attempts: How often the run was started or resumed.
        history: Every change of state, oldest first.
    """

    state: FolderState
    step: _Count
    steps: _Count
    started: str
    updated: str
    seconds: _Seconds = 0.0
    steps_per_second: _Seconds = 0.0
    score: float | None = None
    replay_bytes: _Count = 0
    restores: Literal["state", "replay"] | None = None
    memory_bytes: _Count | None = None
    energy_joules: _Seconds | None = None
    logged_steps: _Count = 0
    error: str | None = None
    attempts: _Count = 1
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
        self.record_file = self.path / RECORD_FILE
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

    @property
    def started(self) -> bool:
        """Whether there is a record, readable or not.

        Raises:
            Unreadable: Nobody can tell, for it may not be looked at.
        """
        return look(self.record_file) is not None

    def read(self, spec: RunSpec | None = None) -> RunRecord:
        """The run's record, whose identity is checked: it must be that of its place, and its digest that of its settings.

        Args:
            spec: The run that is expected here, whose suite counts as well; a folder of results may have been renamed.

        Raises:
            Unreadable: ``run.json`` is missing, cannot be read, is not a record of this format, or is another run's.
        """
        content = read_json(self.record_file, MAX_RECORD_BYTES)
        if content is None:
            raise Unreadable(self.record_file, "missing; this is not a run's folder")
        try:
            record = RunRecord.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "content"
            reason = f"not a run record of format {RECORD_FORMAT} ({where}: {first['msg']})"
            raise Unreadable(self.record_file, reason) from None
        self._check_identity(record, spec)
        return record

    def _check_identity(self, record: RunRecord, spec: RunSpec | None) -> None:
        found, said = record.spec, (record.digest, record.method_digest)
        if (computed := _digests(found)) != said:
            reason = f"says that its digests are {' and '.join(said)}, but those of its settings are {' and '.join(computed)}"
            raise Unreadable(self.record_file, reason)
        own = Path(found.task, f"{found.method}-{record.digest}", f"seed-{found.seed}")
        places = (self.path.absolute, self.path.resolve)  # what leads to a folder may be a link
        if not any(place().parts[-len(own.parts) :] == own.parts for place in places):
            raise Unreadable(self.path, f"holds another run, {own}: move it back to that place, or delete it")
        if spec is not None and (found.suite, found.path) != (spec.suite, spec.path):
            raise Unreadable(
                self.path, f"holds another run, {found.path}, not {spec.path}: move it back to that place, or delete it"
            )

    def state(self, record: RunRecord | None = None) -> FolderState:
        """The run's true state: ``running`` only while its owner lives, else ``interrupted``.

        Raises:
            Unreadable: The record or the claim cannot be read.
        """
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
        with publishing(self.path):
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
        with publishing(self.path):
            record = self.read()
            record = record.model_copy(update={"status": record.status.model_copy(update={"updated": now(), **fields})})
            self.write(record)
        return record

    @property
    def _claim(self) -> Claim:
        return Claim(self.path / _CLAIM_FILE)

    @property
    def holder(self) -> Owner | None:
        """The process that has claimed the run and lives, or of which nobody here can tell; ``None`` if it is free.

        Raises:
            Unreadable: The claim cannot be read.
        """
        owner = self._claim.owner
        return None if owner is None or is_dead(owner) else owner

    def watch_claim(self) -> ClaimWatch:
        """A watch over the claim of another process, which ends when that process does."""
        return ClaimWatch(self._claim)

    def observe_claim(self) -> ClaimObserver:
        """An observer of the claim that changes nothing, whoever holds it."""
        return ClaimObserver(self._claim)

    def check_usable(self) -> None:
        """Refuse a folder in which a run could not go on, as far as one can tell without a change.

        Raises:
            Unreadable: Something in the way may not be entered or written, is no folder, or is not to be read.
        """
        place = self.path
        while (found := look(place)) is None:
            place = place.parent
        if not stat.S_ISDIR(found.st_mode):
            raise Unreadable(place, "is no folder, so that no run can be kept there")
        if not may(place, os.R_OK | os.W_OK | os.X_OK):
            raise Unreadable(place, "may not be read and written")
        if place == self.path:
            self._claim.check()

    @contextmanager
    def claim(self) -> Generator[None]:
        """Own the folder for the duration of a block, creating it if need be.

        Raises:
            harness.runs.lock.AlreadyClaimed: When another living process owns it, or has taken it over during the block.
            ResultsError: When the folder cannot be created or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            claim = self._claim
            claim.acquire()
        except OSError as error:
            raise ResultsError(f"{self.path}: cannot be written ({reason_of(error)})") from error
        try:
            with fenced(self.path, claim):
                self._remove_drafts()
                yield
        except LostClaim as lost:
            if self._was_deleted(lost):
                raise RunError(
                    f"{self.path / _CLAIM_FILE}: was deleted while the run was writing there, so what is left may not be the"
                    " whole run; run again with --fresh to start over"
                ) from lost
            raise
        except Exception as error:
            lost = claim.loss
            if lost is not None and not self._was_deleted(lost):
                raise lost from error  # whatever went wrong in a folder that is another's by now, that is the reason
            raise
        finally:
            claim.release()

    def _was_deleted(self, lost: LostClaim) -> bool:
        """Whether nobody took the folder over, and the claim was deleted by hand: the newest state is one that we wrote."""
        if lost.owner is not None:
            return False
        try:
            history = self.read().status.history
        except ResultsError:
            return True
        return not history or (history[-1].host, history[-1].pid) == (socket.gethostname(), os.getpid())

    def clear(self) -> None:
        """Delete what earlier attempts left; for the owner, whose claim stays."""
        with publishing(self.path):
            for item in self.path.iterdir():
                if item.is_dir() and not item.is_symlink():
                    shutil.rmtree(item)
                elif not item.name.startswith((_CLAIM_FILE, _CLAIM_DRAFTS)):
                    item.unlink()

    def _remove_drafts(self) -> None:
        """Remove what a kill left half-written; those who only try to claim the folder have theirs for themselves."""
        with publishing(self.path):
            for draft in self.path.glob(f"{TEMPORARY}*"):
                if not draft.name.startswith(_CLAIM_DRAFTS):
                    draft.unlink(missing_ok=True)


_known_digests: dict[str, tuple[str, str]] = {}


def _digests(spec: RunSpec) -> tuple[str, str]:
    """The digests of a specification, remembered: those of all seeds are the same, and they take longer than all the rest."""
    settings = spec.model_dump_json(exclude={"suite", "task", "method", "seed", "normalise", "pretraining"})
    if settings not in _known_digests:
        if len(_known_digests) > _REMEMBERED_DIGESTS:
            _known_digests.clear()
        _known_digests[settings] = spec.digest, spec.method_digest
    return _known_digests[settings]


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
    files, skipped = find_files(root, {RECORD_FILE}, passed_over={STUDIES})
    folders: list[RunFolder] = []
    for file in files:
        folder = RunFolder(file.parent)
        try:
            folder.read()
        except Unreadable as error:
            skipped.append(str(error))
        else:
            folders.append(folder)
    return folders, skipped
