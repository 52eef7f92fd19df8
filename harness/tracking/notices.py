"""What is said where a tracker does not follow."""

from __future__ import annotations

from harness.errors import printable

_MOST = 600  # characters
_RUN = "the run goes on without tracker"
_REPORT = "the report was not given to tracker"


def without_tracker(name: str, reason: object) -> str:
    """That a run goes on without a tracker, and why, as a sentence of bounded length."""
    return printable(f"{_RUN} {name!r}: {reason}", _MOST)


def of_report(notice: str) -> str:
    """The same of a report, which no run waits for."""
    return notice.replace(_RUN, _REPORT)
