"""What this package gives the harness: the tracker ``jsonlog``."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Tracker, hookimpl


@hookimpl
def harness_trackers() -> Sequence[Tracker]:
    """Name, class and settings; nothing heavy is imported."""
    return [
        Tracker(
            name="jsonlog",
            tracker="harness_jsonlog.tracker:JsonLogTracker",
            config="harness_jsonlog.config:JsonLogConfig",
            summary="Lines of JSON in one file for each run.",
        )
    ]
