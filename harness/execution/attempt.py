"""One attempt at one run; a failure is recorded in the run's folder."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, ResultsError, printable
from harness.execution.events import Outcome
from harness.registry.error_summary import summarise_error
from harness.runs.files import write_text_atomic
from harness.runs.folder import RunFolder, RunRecord, RunStatus, now
from harness.runs.lock import AlreadyClaimed
from harness.runs.progress import ReportProgress
from harness.spec import RunSpec

TRAIN = "harness.training.run:train"
"""Import path of the function that trains a run; named, not imported, because it needs torch."""

STOPPED = "stopped when asked to; resumable"

_MAX_CAUSE = 2000
"""Characters of the sentence that says why a run failed; our own are a few hundred at most."""

_MAX_DETAILS = 128 * 1024
"""Characters of an error log: a traceback and the tail of what was printed, or their ends."""


def attempt(
    spec: RunSpec,
    results: Path,
    *,
    device: str = "auto",
    fresh: bool = False,
    report: ReportProgress | None = None,
    stop: Callable[[], bool] | None = None,
    trackers: Mapping[str, Mapping[str, Any]] | None = None,
    train: str = TRAIN,
) -> Outcome:
    """Train a run in this process and return its outcome; only an interrupt is raised as an exception.

    Args:
        spec: Specification of the run.
        results: The results directory.
        device: ``auto``, ``cpu``, ``cuda`` or what else the training function takes.
        fresh: Whether what is there of the run is deleted instead of resumed.
        report: Called with the run's progress now and then.
        stop: Whether the run is to save and stop; looked at after each update.
        trackers: Settings of the trackers that follow the run, as JSON, by name.
        train: Import path of the function that trains a run; it need know of trackers only if there are any.
    """
    followed = {"trackers": trackers} if trackers else {}
    try:
        module, _, function = train.partition(":")
        training = getattr(importlib.import_module(module), function)
        status: RunStatus | None = training(spec, results, device=device, report=report, fresh=fresh, stop=stop, **followed)
    except AlreadyClaimed as error:
        return Outcome(spec, "claimed", str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a run raises, the others go on
        cause = str(error) if isinstance(error, HarnessError) else summarise_error(error)
        return record_failure(spec, results, cause, traceback.format_exc())
    if status is not None and status.state == "interrupted":
        return Outcome(spec, "interrupted", STOPPED)
    with suppress(OSError):  # nothing that matters to a run that is finished
        RunFolder.of(spec, results).error_log.unlink(missing_ok=True)
    return Outcome(spec, "finished")


def record_failure(spec: RunSpec, results: Path, cause: str, details: str) -> Outcome:
    """Write a failure into the run's folder, made printable: ``cause`` into its status, ``details`` into ``error.log``.

    Returns:
        The outcome: ``failed``, or ``claimed`` if another process has taken the run over meanwhile.
    """
    folder, cause = RunFolder.of(spec, results), printable(cause, _MAX_CAUSE)
    try:
        with folder.claim():
            with suppress(OSError):
                write_text_atomic(folder.error_log, printable(details, _MAX_DETAILS, lines=True))
            if not folder.started:  # it ended before it had a record; one that cannot be read, or is another run's, stays
                folder.write(_first_record(spec))
            folder.set_state("failed", error=cause)
    except AlreadyClaimed as error:  # it was taken over, and is not ours to judge any more
        return Outcome(spec, "claimed", str(error))
    except (OSError, ResultsError):  # a full disk may be the very cause
        pass
    return Outcome(spec, "failed", cause)


def record_interruption(spec: RunSpec, results: Path) -> None:
    """Set the state of a run whose process was ended to ``interrupted``, unless it has said itself how it ended."""
    folder = RunFolder.of(spec, results)
    with suppress(OSError, AlreadyClaimed, ResultsError):
        if folder.started:
            with folder.claim():
                if folder.read().status.state == "running":
                    folder.set_state("interrupted", error=None)


def _first_record(spec: RunSpec) -> RunRecord:
    status = RunStatus(state="running", step=0, steps=spec.steps, started=now(), updated=now())
    return RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=status)
