"""The files of a run under way, which nobody else may take from it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from harness.errors import ResultsError

_Identity = tuple[int, int, int]


class OwnFiles:
    """Remembers the files that a run has written, and notices when one is gone or is another by now."""

    def __init__(self) -> None:
        self._complete: dict[Path, _Identity | None] = {}
        self._growing: dict[Path, int] = {}

    def remember(self, *paths: Path) -> None:
        """Remember folders, and files that were just written and will not change."""
        for path in paths:
            self._complete[path] = _identity(path)

    def remember_only(self, folder: Path) -> None:
        """Remember a folder and everything in it as it is now, instead of what was in it before."""
        self._complete = {path: known for path, known in self._complete.items() if folder not in path.parents}
        self.remember(folder, *folder.rglob("*"))

    def remember_growing(self, *paths: Path) -> None:
        """Remember files that go on growing; each is held open, so that no other one can take its number on the disk."""
        for path in paths:
            self._release(path)
            self._growing[path] = os.open(path, os.O_RDONLY)

    def check(self) -> None:
        """Make sure that everything is still there.

        Raises:
            ResultsError: Something was deleted or replaced.
        """
        for path, known in self._complete.items():
            _compare(path, _identity(path), known)
        for path, descriptor in self._growing.items():
            found = _identity(path)
            _compare(path, found and found[:2], _identity_of(os.fstat(descriptor))[:2])

    def close(self) -> None:
        """Hold nothing open any more."""
        for path in list(self._growing):
            self._release(path)

    def _release(self, path: Path) -> None:
        if path in self._growing:
            os.close(self._growing.pop(path))


def _compare(path: Path, found: tuple[int, ...] | None, known: tuple[int, ...] | None) -> None:
    if found is None or found != known:
        what = "deleted" if found is None else "replaced"
        raise ResultsError(
            f"{path}: was {what} while the run was writing there, so what is left is not the whole run;"
            " run again with --fresh to start over"
        )


def _identity(path: Path) -> _Identity | None:
    """Where a file lies on the disk, and when it was written; ``None`` if it is not there."""
    try:
        return _identity_of(path.stat(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _identity_of(status: os.stat_result) -> _Identity:
    written = 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
    return status.st_dev, status.st_ino, written
