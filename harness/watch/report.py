"""The report on results that still grow: made again in the background, while the last good one is served.

Each is made by ``harness report`` in a process of its own, in a temporary folder, so that nothing heavy is loaded here and
nothing is written among the results.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psutil

from harness.errors import ResultsError, printable
from harness.execution.environment import without_passwords
from harness.experiment import StatusResult
from harness.runs.guarded import MIB, look, read_bytes
from harness.tuning.trials import find_study_records
from harness.watch.looks import Look

_MAX_PAGE_BYTES = 128 * MIB
_MAX_SECONDS = 1800.0
_REST_SECONDS, _REST_FACTOR = 10.0, 9.0
_NICENESS = 10
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class ReportState:
    """The report as it is now.

    Attributes:
        number: Number of reports that were made, which tells this one from the earlier ones; 0 before the first.
        page: The page of the last good report; ``None`` before the first.
        made: The time when it was begun, in local time.
        under_way: Whether the next one is being made.
        problem: The reason why the last attempt gave none, in one line; empty where it gave one.
    """

    number: int = 0
    page: bytes | None = None
    made: datetime | None = None
    under_way: bool = False
    problem: str = ""


class GrowingReport:
    """Makes the report again whenever results have changed, one at a time and with rests.

    Args:
        roots: Results directories, as ``harness report`` takes them.
        rest_seconds: The shortest rest between two reports.
        rest_factor: The length of a rest as a multiple of the time that the report before it took.
    """

    def __init__(self, roots: Sequence[Path], rest_seconds: float = _REST_SECONDS, rest_factor: float = _REST_FACTOR) -> None:
        self.state: ReportState = ReportState()
        self._roots, self._rest_seconds, self._rest_factor = list(roots), rest_seconds, rest_factor
        self._wanted: Hashable = None
        self._shown: Hashable = None
        self._seen = 0
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._worker = threading.Thread(target=self._work, name="growing-report", daemon=True)
        self._worker.start()

    def keep_up(self, seen: Look) -> None:
        """Have the report made again if it does not show these runs as they are; returns at once."""
        if seen.number == self._seen:
            return
        self._seen = seen.number
        version = report_version(seen.found, self._roots)
        if version:
            with self._changed:
                self._wanted = version
                self._changed.notify()

    def close(self) -> None:
        """End what is under way, and leave nothing behind."""
        self._closed.set()
        with self._changed:
            self._changed.notify()
        self._worker.join()

    def _work(self) -> None:
        while self._is_wanted():
            began, begun = time.monotonic(), datetime.now().astimezone()
            self.state = replace(self.state, under_way=True)
            try:
                page, problem = self._make()
            except (
                OSError,
                ResultsError,
            ) as error:  # no room on the disk, no memory for a process
                page, problem = None, printable(str(error))
            if page is None:
                self.state = replace(self.state, under_way=False, problem=problem)
            else:
                self.state = ReportState(self.state.number + 1, page, begun)
            self._closed.wait(max(self._rest_seconds, self._rest_factor * (time.monotonic() - began)))

    def _is_wanted(self) -> bool:
        """Whether another report is wanted, once that or the end is known."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed.is_set() or self._wanted != self._shown)
            self._shown = self._wanted
        return not self._closed.is_set()

    def _make(self) -> tuple[bytes | None, str]:
        """The page of a new report, or why there is none."""
        with tempfile.TemporaryDirectory(prefix="harness-report-") as folder:
            out = Path(folder) / "report"
            command = [sys.executable, "-P", "-m", "harness", "report", "--format", "html", "--no-cache"]
            errors = Path(folder) / "errors"
            with errors.open("wb") as log:
                process = subprocess.Popen(
                    [*command, "--out", str(out), "--", *map(str, self._roots)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=without_passwords(os.environ),
                    start_new_session=True,  # Ctrl-C is for the server, which ends it
                )
            with suppress(psutil.Error):  # it is over already
                psutil.Process(process.pid).nice(_NICENESS)
            if not self._wait(process):
                return None, "the report takes too long"
            page = read_bytes(out / "index.html", _MAX_PAGE_BYTES)
            if process.returncode in (0, 1) and page is not None:
                return page, ""
            said = errors.read_text(errors="replace").strip().splitlines()
            return None, printable(said[-1].removeprefix("error: ") if said else f"exit code {process.returncode}")

    def _wait(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the process ended by itself in time; otherwise it was killed."""
        give_up = time.monotonic() + _MAX_SECONDS
        while process.poll() is None:
            if self._closed.wait(_POLL_SECONDS) or time.monotonic() > give_up:
                process.kill()
                process.wait()
                return False
        return True


def report_version(found: StatusResult, roots: Sequence[Path]) -> Hashable:
    """What a report on these results depends on; nothing while there is nothing to report on."""
    runs = [(str(run.folder.path), run.state, run.updated, run.score) for run in found.runs if run.state != "missing"]
    studies: list[tuple[str, int, int]] = []
    with suppress(ResultsError):
        for file in find_study_records(roots)[0]:
            if status := look(file):
                studies.append((str(file), status.st_mtime_ns, status.st_size))
    return tuple(map(tuple, (runs, studies))) if runs or studies else None
