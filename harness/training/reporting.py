"""How a run tells whoever waits for it how far it is: now and then, and at once where it matters."""

from __future__ import annotations

import time

from harness.runs.progress import ReportProgress, RunProgress


class ProgressReporter:
    """Passes progress on, but not too often.

    Args:
        report: Called with the progress; ``None`` if nobody listens.
        seconds: Shortest time between two reports, unless one is forced.
    """

    def __init__(self, report: ReportProgress | None, seconds: float) -> None:
        self._report, self._seconds = report, seconds
        self._last = time.monotonic()

    def is_due(self, *, force: bool = False) -> bool:
        """Whether somebody listens, and the last report is long enough ago or does not matter."""
        return self._report is not None and (force or time.monotonic() - self._last >= self._seconds)

    def send(self, progress: RunProgress) -> None:
        """Pass progress on, due or not."""
        if self._report is not None:
            self._last = time.monotonic()
            self._report(progress)
