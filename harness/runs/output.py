"""Files for people, such as reports: one writer that stays inside the folder which it was given.

Names of what was measured come from files that anybody may have written, so none of them is taken for a path: `file_stem`
makes a part of a file's name of any text, and `OutputFolder` refuses whatever would lie elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

from harness.errors import ResultsError
from harness.runs.files import write_bytes_atomic
from harness.runs.guarded import reason_of

_MAX_STEM = 80
_MAX_PART = 200  # bytes, so that the name under which it is written aside is no longer than a disk allows


def file_stem(*texts: str) -> str:
    """A file's name without its ending, for any texts: themselves where they can be one, else different for different ones.

    >>> file_stem("toy", "toy-rnd"), file_stem("../../etc/passwd")
    ('toy-toy-rnd', 'etc-passwd-3754d6')
    """
    plain = [re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip(".-")[:_MAX_STEM] or "unnamed" for text in texts]
    stem = "-".join(plain)
    if plain == list(texts):
        return stem
    digest = hashlib.sha256("\0".join(texts).encode("utf-8", errors="surrogatepass")).hexdigest()[:6]
    return f"{stem}-{digest}"


class OutputFolder:
    """A folder into which files are written, and nothing outside of it.

    Args:
        path: The folder; need not exist. It may be reached by links, for it is the user's choice; nothing below it may.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Make the folder.

        Raises:
            ResultsError: It cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise ResultsError(f"{self.path}: cannot be written ({reason_of(error)})") from None

    def write(self, name: str, content: str | bytes) -> Path:
        """Replace a file in the folder, atomically; a link of its name is replaced, not followed.

        Args:
            name: Relative path of the file, with ``/`` between its parts.
            content: Text, to be written as UTF-8, or bytes.

        Returns:
            Path of the file.

        Raises:
            ResultsError: The name leads out of the folder, or the file cannot be written.
        """
        file = self._locate(name)
        data = content if isinstance(content, bytes) else content.encode("utf-8", errors="replace")
        try:
            write_bytes_atomic(file, data)
        except OSError as error:
            raise ResultsError(f"{error.filename or file}: cannot be written ({reason_of(error)})") from None
        return file

    def _locate(self, name: str) -> Path:
        parts = name.split("/")
        if not all(map(_is_plain_name, parts)):
            raise ResultsError(f"{self.path}: {name[:80]!r} cannot name a file in this folder")
        self.create()
        folder = self.path.joinpath(*parts[:-1])
        try:
            root = self.path.resolve()
            for above in [*reversed(PurePosixPath(*parts[:-1]).parents), PurePosixPath(*parts[:-1])]:
                inside = self.path / above
                inside.mkdir(exist_ok=True)
                if not inside.resolve().is_relative_to(root) or (inside != self.path and inside.is_symlink()):
                    raise ResultsError(f"{inside}: is a link, and what is written there would lie outside of {self.path}")
        except (OSError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
            raise ResultsError(f"{folder}: cannot be written ({reason_of(error)})") from None
        return folder / parts[-1]


def _is_plain_name(part: str) -> bool:
    """Whether a part of a path names an entry of its folder on every system."""
    return part not in {"", ".", ".."} and part.isprintable() and "\\" not in part and len(part.encode()) <= _MAX_PART
