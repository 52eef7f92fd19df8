"""Finding files in a results folder, with the name of everything that could not be looked at."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection
from pathlib import Path

from harness.errors import ResultsError
from harness.runs.files import TEMPORARY
from harness.runs.guarded import Unreadable, is_text, look, reason_of


def find_files(root: Path, names: Collection[str], *, passed_over: Collection[str] = ()) -> tuple[list[Path], list[str]]:
    """Everything at or below a folder that is called one of ``names``, whatever it is, sorted by path.

    Args:
        root: The folder to look in; it may be a link. Links to folders below it are named and not followed.
        names: Names of files.
        passed_over: Names of folders that are not looked into.

    Returns:
        The paths, and one line for each folder that could not be looked into.

    Raises:
        ResultsError: ``root`` does not exist or is not a folder.
    """
    found: list[Path] = []
    problems: list[str] = []
    try:
        status = look(root)
    except Unreadable as error:
        return [], [str(error)]
    if status is None or not stat.S_ISDIR(status.st_mode):
        raise ResultsError(f"{root}: no such results directory")
    left = [root]
    while left:
        folder = left.pop()
        try:
            with os.scandir(folder) as entries:
                listed = list(entries)
        except FileNotFoundError:  # it went away since it was seen
            continue
        except OSError as error:
            problems.append(str(Unreadable(folder, f"may not be looked into ({reason_of(error)})")))
            continue
        for entry in listed:
            if entry.name.startswith(TEMPORARY):
                continue
            if not is_text(entry.name):
                problems.append(str(Unreadable(folder / entry.name, "has a name that is no text")))
            elif entry.name in names:
                found.append(folder / entry.name)
            elif _is_folder(entry, problems) and entry.name not in passed_over:
                left.append(folder / entry.name)
    return sorted(found), sorted(problems)


def _is_folder(entry: os.DirEntry[str], problems: list[str]) -> bool:
    """Whether it is a folder to be looked into; a link to one is named instead."""
    try:
        if entry.is_dir(follow_symlinks=False):
            return True
        if entry.is_symlink() and entry.is_dir():
            problems.append(
                str(Unreadable(entry.path, "is a link to a folder, which is not followed: give that folder itself"))
            )
    except OSError as error:
        if error.errno != errno.ELOOP:  # a link that leads to itself is no folder
            problems.append(str(Unreadable(entry.path, f"may not be looked at ({reason_of(error)})")))
    return False
