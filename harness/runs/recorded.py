"""Resolved suites that lie beside the results of their runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SUITES = "suites"
"""The folder of resolved suites, below a suite's results."""

_NAME = re.compile(r"[0-9a-f]{8}\.yaml")
_FOLDERS_ABOVE = 3


def recorded_suites(runs: Iterable[Path]) -> list[Path]:
    """The files of resolved suites beside the results of some runs, sorted, without those that may not be looked at.

    Args:
        runs: Folders of runs.
    """
    folders = {run.parent.parent.parent for run in runs if len(run.parents) > _FOLDERS_ABOVE}
    files: list[Path] = []
    for folder in sorted(folders):
        with suppress(OSError):
            files += [file for file in (folder / SUITES).iterdir() if _NAME.fullmatch(file.name)]
    return sorted(files)
