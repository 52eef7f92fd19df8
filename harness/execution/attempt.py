"""One attempt at one run, whose failure is written into its folder and stays with it."""

from __future__ import annotations

import importlib
import traceback
from contextlib import suppress
from pathlib import Path

from harness.causes import one_line
from harness.claims import Claimed
from harness.errors import HarnessError, ResultsError
from harness.execution.events import Outcome
from harness.files import write_text_atomic
from harness.progress import ReportProgress
from harness.run_folder import RunFolder, RunRecord, RunStatus, State, now
from harness.spec import RunSpec

TRAIN = "harness.training.run:train"
"""Import path of the function that trains a run; named, not imported, because it needs torch."""


def attempt(
    spec: RunSpec,
    results: Path,
    *,
    device: str = "auto",
    fresh: bool = False,
    report: ReportProgress | None = None,
    train: str = TRAIN,
) -> Outcome:
    """Train a run in this process and say how it ended; only a request to stop gets through as an exception."""
    try:
        module, _, function = train.partition(":")
        getattr(importlib.import_module(module), function)(spec, results, device=device, report=report, fresh=fresh)
    except Claimed as error:
        return Outcome(spec, "claimed", str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a run raises, the others go on
        cause = " ".join(str(error).split()) if isinstance(error, HarnessError) else one_line(error)
        return record_failure(spec, results, cause, traceback.format_exc())
    RunFolder.of(spec, results).error_log.unlink(missing_ok=True)
    return Outcome(spec, "finished")


def record_failure(spec: RunSpec, results: Path, cause: str, details: str) -> Outcome:
    """Write a failure into the run's folder: ``cause`` into its status, ``details`` into ``error.log``."""
    folder = RunFolder.of(spec, results)
    with suppress(OSError, Claimed, ResultsError), folder.claim():  # a full disk may be the very cause
        write_text_atomic(folder.error_log, details)
        _change(folder, spec, "failed", cause)
    return Outcome(spec, "failed", cause)


def record_interruption(spec: RunSpec, results: Path) -> None:
    """Write into the folder of a run that was stopped that it is interrupted, if it had got as far as having a record."""
    folder = RunFolder.of(spec, results)
    if folder.spec_file.exists():
        with suppress(OSError, Claimed, ResultsError), folder.claim():
            _change(folder, spec, "interrupted", None)


def _change(folder: RunFolder, spec: RunSpec, state: State, error: str | None) -> None:
    try:
        folder.change(state, error=error)
    except ResultsError:  # it ended before it had a record
        folder.write(_first_record(spec))
        folder.change(state, error=error)


def _first_record(spec: RunSpec) -> RunRecord:
    status = RunStatus(state="running", step=0, steps=spec.steps, started=now(), updated=now())
    return RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=status)
