"""The settings of the tracker; this module is imported wherever a suite is read, so it is light."""

from __future__ import annotations

from harness import TrackerConfig


class JsonLogConfig(TrackerConfig):
    """Where the lines are kept."""

    folder: str | None = None
    """Folder of the files; null for the folder of each run."""
