"""Resolved suites that lie beside the results of their runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from harness.runs.folder import FOLDERS_ABOVE_RUN

SUITES = "suites"
"""The folder of resolved suites, below a suite's results."""

_NAME = re.compile(r"[0-9a-f]{8}\.yaml")


def recorded_suites(runs: Iterable[Path]) -> list[Path]:
    """The files of resolved suites beside the results of some runs, sorted, without those that may not be looked at.

    Args:
        runs: Folders of runs.
    """
    folders = {run.parents[FOLDERS_ABOVE_RUN - 1] for run in runs if len(run.parents) > FOLDERS_ABOVE_RUN}
    files: list[Path] = []
    for folder in sorted(folders):
        with suppress(OSError):
            files += [file for file in (folder / SUITES).iterdir() if _NAME.fullmatch(file.name)]
    return sorted(files)
