"""The files of a run under way, which nobody else may take from it."""

from __future__ import annotations

from pathlib import Path

from harness.errors import RunError


class OwnFiles:
    """Remembers the files that a run has written, and notices when one is gone or is another by now."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, int] | None] = {}

    def remember(self, *paths: Path) -> None:
        """Remember files or folders as they are now, just written."""
        for path in paths:
            self._known[path] = _identity(path)

    def remember_only(self, folder: Path) -> None:
        """Remember a folder and everything in it as it is now, instead of what was in it before."""
        self._known = {path: known for path, known in self._known.items() if folder not in path.parents}
        self.remember(folder, *folder.rglob("*"))

    def check(self) -> None:
        """Make sure that everything is still there.

        Raises:
            RunError: Something was deleted or replaced.
        """
        for path, known in self._known.items():
            found = _identity(path)
            if found is None or found != known:
                what = "deleted" if found is None else "replaced"
                raise RunError(
                    f"{path}: was {what} while the run was writing there, so what is left is not the whole run;"
                    " run again with --fresh to start over"
                )


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; ``None`` if it is not there."""
    try:
        status = path.stat(follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
