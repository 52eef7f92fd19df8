"""One run folder, read whole: its record, its evaluations, and who holds it.

A `RunReader` remembers what it read. Who looks at the same folders again and again keeps one, so that only what has changed
since the last look is read: files are told apart by their numbers, sizes and times on the disk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.runs.claim_watch import ClaimObserver
from harness.runs.evaluations import Evaluation, read_evaluations
from harness.runs.files import read_last_csv_row
from harness.runs.folder import FolderState, RunFolder, RunRecord
from harness.runs.guarded import Unreadable, look, signature_of, to_count, to_number
from harness.runs.owner import Owner
from harness.runs.remembered import reading_memory
from harness.spec import Normalisation, RunSpec

RunKey = tuple[str, str, str, int]
"""A suite, a task, the label of a method, and a seed: of several folders with the same, one counts."""


@dataclass(frozen=True)
class TaskConstants:
    """What a task's scores are normalised with.

    Attributes:
        used: The constants that count for every run of the task; ``None`` where it has none.
        variants: Every different pair of low and high that its runs carry, the used one last; ``None`` for no constants.
    """

    used: Normalisation | None
    variants: tuple[tuple[float, float] | None, ...]

    def normalise(self, score: float | None) -> float | None:
        """A normalised score; ``None`` where there is no score, or no constants that can be used."""
        if score is None or self.used is None or self.used.high == self.used.low:
            return None
        value = self.used(score)
        return value if math.isfinite(value) else None


NO_CONSTANTS = TaskConstants(None, ())
"""Those of a task that has none, or of which nothing is known."""


@dataclass(frozen=True)
class CollectedRun:
    """One run folder.

    Attributes:
        name: The folder's path, as it was found.
        folder: Its files, to be read.
        record: What its ``run.json`` says.
        state: The run's true state.
        evaluations: Every evaluation, by step.
        constants: What scores of its task are normalised with.
        label: The method's name, and what differs where several configurations share it.
        superseded: Whether another folder holds the same run, and counts.
        holder: The living process that has claimed the run, as far as one can tell; ``None`` for nobody, and once it is
            finished.
    """

    name: str
    folder: RunFolder
    record: RunRecord
    state: FolderState
    evaluations: Sequence[Evaluation]
    constants: TaskConstants = NO_CONSTANTS
    label: str = ""
    superseded: bool = False
    holder: Owner | None = None

    @property
    def spec(self) -> RunSpec:
        """Specification of the run."""
        return self.record.spec

    @property
    def key(self) -> RunKey:
        """What tells it from other runs."""
        return self.spec.suite, self.spec.task, self.label, self.spec.seed

    @property
    def latest_score(self) -> float | None:
        """Mean return of the latest evaluation, whether the run is finished or not."""
        return self.evaluations[-1].score if self.evaluations and not self.spec.pretraining else None

    @property
    def last_evaluation(self) -> Evaluation | None:
        """The evaluation that gives the run its score; ``None`` unless it is finished."""
        return self.evaluations[-1] if self.evaluations and self.state == "finished" and not self.spec.pretraining else None

    @property
    def score(self) -> float | None:
        """The run's score; ``None`` unless it is finished."""
        return self.last_evaluation.score if self.last_evaluation else None


LiveProgress = tuple[int, float]
"""Step and speed, in steps per second, from the last row of a run's log."""

_FASTEST = 1e12

_Signature = tuple[int, ...] | None
"""What tells two contents of a file apart without reading them; ``None`` for no file."""

_UNREADABLE = (-1,)
"""The signature of what may not be looked at; nothing is remembered of a run that has such a file."""


@dataclass(frozen=True)
class _Known:
    """What was read of a folder, and the files that it was read from."""

    files: tuple[_Signature, ...]
    run: CollectedRun


class RunReader:
    """Reads run folders, and of those that it has read before only what has changed since."""

    def __init__(self) -> None:
        self._known: dict[Path, _Known] = {}
        self._progress: dict[Path, tuple[_Signature, LiveProgress | None]] = {}
        self._claims: dict[Path, ClaimObserver] = {}
        self._memory = reading_memory()

    def read(self, folder: RunFolder, spec: RunSpec | None = None) -> tuple[CollectedRun, list[str]]:
        """One run as its folder has it, and one line for each part of it that cannot be read.

        The same object is returned as long as nothing of it has changed.

        Args:
            folder: Its files, to be read.
            spec: The run that is expected there.

        Raises:
            Unreadable: Its record cannot be read, or is another run's.
        """
        files, run, lines = self._content(folder, spec)
        state, holder, problems = self._state(folder, run.record)
        if state != run.record.status.state and files[0] != _signature(folder.record_file):  # it ended between the two looks
            files, run, lines = self._content(folder, spec)
            state, holder, problems = self._state(folder, run.record)
        if (state, holder) != (run.state, run.holder):
            run = replace(run, state=state, holder=holder)
        if lines:  # what could not be read may become readable without a change of the file
            self._known.pop(folder.path, None)
        else:
            self._known[folder.path] = _Known(files, run)
        return run, problems + lines

    def _content(self, folder: RunFolder, spec: RunSpec | None) -> tuple[tuple[_Signature, ...], CollectedRun, list[str]]:
        """The files, the run as they have it, remembered or read, and what could not be read of them."""
        files = tuple(map(_signature, (folder.record_file, folder.evaluations_file)))
        known = self._known.get(folder.path)
        if known is not None and known.files == files and (spec is None or _is_same(known.run.spec, spec)):
            return files, known.run, []
        record = folder.read(spec)
        evaluations, problems = ([], []) if record.spec.pretraining else self._evaluations(folder, files[1])
        return files, CollectedRun(folder.path.as_posix(), folder, record, record.status.state, evaluations), problems

    def _evaluations(self, folder: RunFolder, signature: _Signature) -> tuple[list[Evaluation], list[str]]:
        """A run's evaluations, from what an earlier process has kept of this very file where there is such a thing."""
        kept = self._memory
        if kept is None or signature is None or signature == _UNREADABLE:
            return read_evaluations(folder)
        found = kept.find(folder.path, signature)
        if found is not None:
            return found, []
        found, problems = read_evaluations(folder)
        if not problems:
            kept.keep(folder.path, signature, found)
        return found, problems

    def progress(self, folder: RunFolder) -> LiveProgress | None:
        """Step and speed from the last row of a run's log, which is newer than its record; ``None`` where it says none."""
        try:
            signature = _signature(folder.progress_file)
            known = self._progress.get(folder.path)
            if known is None or known[0] != signature:
                known = signature, _last_progress(folder)
        except Unreadable:  # the record says what there is
            return None
        self._progress[folder.path] = known
        return known[1]

    def _state(self, folder: RunFolder, record: RunRecord) -> tuple[FolderState, Owner | None, list[str]]:
        """The true state, the holder, and what could not be read of the claim where the state depends on it."""
        recorded = record.status.state
        if recorded == "finished":
            self._claims.pop(folder.path, None)
            return recorded, None, []
        observer = self._claims.setdefault(folder.path, folder.observe_claim())
        try:
            holder, lines = observer.holder(), list[str]()
        except Unreadable as error:  # nobody can tell whether its owner lives
            holder, lines = None, [str(error)] if recorded == "running" else []
        state = "interrupted" if recorded == "running" and holder is None else recorded
        if self._memory is not None:
            self._memory.unfinished[str(folder.path)] = describe_unfinished(state, holder)
        return state, holder, lines


def describe_unfinished(state: FolderState, holder: Owner | None) -> str:
    """What is found of a run that is not finished and depends on more than its files."""
    return state if holder is None else f"{state}, held"


def _is_same(found: RunSpec, expected: RunSpec) -> bool:
    return (found.suite, found.path) == (expected.suite, expected.path)


def _last_progress(folder: RunFolder) -> LiveProgress | None:
    row = read_last_csv_row(folder.progress_file)
    step, speed = to_count(row.get("time/total_timesteps")), to_number(row.get("time/fps"))
    return None if step is None or speed is None or not 0 <= speed < _FASTEST else (step, speed)


def _signature(path: Path) -> _Signature:
    try:
        found = look(path)
    except Unreadable:  # whoever reads it will say so
        return _UNREADABLE
    if found is None:
        return None
    return signature_of(found)
