"""What is shipped as data: ``suites`` with the speeds measured of them, and ``published`` numbers.

A wheel has both folders here. A checkout has links here to where they are edited, ``suites/`` and ``results/published/`` at
its top, so that an editable installation finds them in the same way.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory

_extracted: dict[str, TemporaryDirectory[str]] = {}
"""Folders out of archives, until the process ends."""


@cache
def packaged_folder(name: str) -> Path:
    """A folder of this package on the disk, whichever way the harness is installed; one that does not exist if it is missing.

    Args:
        name: ``suites`` or ``published``.
    """
    return on_disk(files(__name__) / name)


def on_disk(folder: Traversable) -> Path:
    """A folder of a package: where it is, or a copy of its files that lasts as long as the process, if an archive holds it."""
    if isinstance(folder, Path):
        return folder.resolve()
    if (archived := str(folder)) not in _extracted:
        copy = _extracted[archived] = TemporaryDirectory(prefix="harness-packaged-")
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.is_file():
                (Path(copy.name) / entry.name).write_bytes(entry.read_bytes())
    return Path(_extracted[archived].name)
