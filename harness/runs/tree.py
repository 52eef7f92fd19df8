"""Whether anything at or below some folders has changed, told without reading it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from harness.runs.guarded import Unreadable, read_bytes, signature_of
from harness.runs.remembered import FRESH_NS

_MAX_BYTES = 1 << 20
_MAX_READ = 1 << 28

Survey = Mapping[str, str]
"""What tells each file's content from any other, by its real path; empty where nothing that may be read does."""


def survey_files(roots: Iterable[Path], seen_ns: int) -> Survey | None:
    """Every file at or below some folders, with its kind, size, numbers and times on the disk.

    What was changed shortly before ``seen_ns`` might be changed again within the same tick of the disk's clock; its content is
    looked at too.

    Args:
        roots: Folders, or single files; links to folders below them are not followed.
        seen_ns: When this was first looked at, in nanoseconds since 1970.

    Returns:
        The files; ``None`` where something may not be looked at.
    """
    surveyor = _Surveyor(seen_ns - FRESH_NS)
    try:
        for root in roots:
            surveyor.add(os.path.realpath(root))
    except OSError:
        return None
    return surveyor.found


def digest_of(survey: Survey, without: Collection[str] = ()) -> str | None:
    """A digest of everything that was surveyed.

    Args:
        survey: All files that were found.
        without: Real paths of files that are left out.

    Returns:
        The digest; ``None`` where too much of it was changed too lately to be told apart.
    """
    digest = hashlib.sha256()
    for path in sorted(survey.keys() - set(without)):
        if not survey[path]:
            return None
        digest.update(os.fsencode(f"{path}\0{survey[path]}\0"))
    return digest.hexdigest()


class _Surveyor:
    def __init__(self, fresh_since: int) -> None:
        self.found: dict[str, str] = {}
        self._fresh_since, self._read = fresh_since, 0

    def add(self, root: str) -> None:
        """Add a folder and everything below it, or a file."""
        if not Path(root).is_dir():
            self._add(root, Path(root).stat())
            return
        left = [root]
        while left:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    else:
                        self._add(entry.path, _status(entry))

    def _add(self, path: str, found: os.stat_result) -> None:
        numbers = found.st_mode, *signature_of(found)
        fresh = max(found.st_mtime_ns, found.st_ctime_ns) >= self._fresh_since
        content = self._content(path, found.st_size) if fresh else ""
        self.found[path] = "" if content is None else f"{numbers} {content}"

    def _content(self, path: str, size: int) -> str | None:
        """A digest of a file's content; ``None`` where that is too much to be read for it, or may not be."""
        if size > _MAX_BYTES or self._read + size > _MAX_READ:
            return None
        self._read += size
        with suppress(Unreadable):
            data = read_bytes(Path(path), _MAX_BYTES)
            return None if data is None else hashlib.sha256(data).hexdigest()
        return None


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    """The status of what a name leads to, or of the link itself where it leads nowhere."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)
