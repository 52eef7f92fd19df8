"""``report --watch``: the report, made again as runs change, until all are done or Ctrl-C."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from harness.cli.display.console import open_console
from harness.cli.display.states import print_unreadable
from harness.errors import ResultsError
from harness.experiment import ReportResult, StatusReader, StatusResult
from harness.watch.pace import DEFAULT_SECONDS, Pace
from harness.watch.report import report_version

_REST_FACTOR = 4.0
"""How many times as long as the last report took nothing is written, so that runs keep most of the machine."""

_DONE = ("finished", "failed")


def watch_report(write: Callable[[], ReportResult], roots: Sequence[Path]) -> int:
    """Write the report whenever runs have changed, with a line for each; returns the exit code.

    Args:
        write: Writes the report.
        roots: Results directories that are watched.

    Raises:
        ResultsError: There is no such results directory.
        UserError: What was asked for cannot be made.
    """
    watcher = _Watcher(write, roots)
    try:
        watcher.run()
    except KeyboardInterrupt:  # one of two ways to end it, so nothing has gone wrong
        pass
    except BrokenPipeError:  # whoever read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python flushes at its end goes nowhere
    return 1 if watcher.unreadable else 0


class _Watcher:
    """Looks at runs, and has the report written.

    Attributes:
        unreadable: One line for each thing that could not be read for the last report.
    """

    def __init__(self, write: Callable[[], ReportResult], roots: Sequence[Path]) -> None:
        self.unreadable: Sequence[str] = ()
        self._write, self._reader, self._roots = write, StatusReader(roots), list(roots)
        self._console = open_console()
        self._pace = Pace(DEFAULT_SECONDS)
        self._not_before = 0.0
        self._shown: object = None
        self._waiting = False

    def run(self) -> None:
        """Look until everything is done and shown."""
        while True:
            self._pace.begin()
            found = self._reader.look()
            self._pace.end()  # a report has a rest of its own
            version, done = report_version(found, self._roots), _is_done(found)
            if version and version != self._shown and (done or time.monotonic() >= self._not_before):
                self._report(found)
                self._shown = version
            if version is None:
                self._say_that_it_waits("nothing to report on yet")
            if done and version == self._shown:
                return
            time.sleep(self._pace.seconds_to_wait)

    def _report(self, found: StatusResult) -> None:
        began = time.monotonic()
        try:
            written = self._write()
        except ResultsError as error:
            if not all(run.spec.pretraining for run in found.runs):  # of these alone there is nothing to report yet
                raise
            self._say_that_it_waits(str(error))
            return
        finally:
            self._not_before = time.monotonic() + _REST_FACTOR * (time.monotonic() - began)
        if written.unreadable != self.unreadable:
            print_unreadable(self._console, written.unreadable)
        self.unreadable = written.unreadable
        self._print(f"report: {written.file} ({_count(found)})")

    def _say_that_it_waits(self, why: str) -> None:
        """Say once why there is no report yet."""
        if not self._waiting:
            self._print(f"waiting: {why}")
        self._waiting = True

    def _print(self, line: str) -> None:
        self._console.print(f"{datetime.now().astimezone():%H:%M:%S} {line}", soft_wrap=True)
        self._console.file.flush()


def _is_done(found: StatusResult) -> bool:
    """Whether no run is under way or still to come."""
    return bool(found.runs) and not found.jobs and all(run.state in _DONE for run in found.runs)


def _count(found: StatusResult) -> str:
    states = Counter(run.state for run in found.runs)
    others = [f"{n:,} {state}" for state, n in sorted(states.items()) if state != "finished"]
    return ", ".join([f"{states['finished']:,} of {len(found.runs):,} runs finished", *others])
