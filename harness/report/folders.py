"""Where results lie that a report is about; nothing is loaded for it that a report is made with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.runs.folder import RunFolder


@dataclass(frozen=True)
class NamedFolder:
    """A results directory whose methods are named after it; several may share a name.

    Attributes:
        name: What it is called.
        path: The directory, or a part of it.
    """

    name: str
    path: Path


Folder = Path | RunFolder | NamedFolder
"""Where results lie."""
