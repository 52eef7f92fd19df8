"""What ``report`` is to show, as it is written on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UserError, shorten

if TYPE_CHECKING:
    from harness.report.folders import NamedFolder
    from harness.report.selection import Selection


def parse_folders(texts: Iterable[str]) -> list[Path | NamedFolder]:
    """Results directories, each with a name where it is written as ``NAME=DIR`` and is no directory as a whole."""
    from harness.report.folders import NamedFolder

    folders: list[Path | NamedFolder] = []
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or "/" in name or Path(text).exists():
            folders.append(Path(text))
        elif name.strip() and path:
            folders.append(NamedFolder(name.strip(), Path(path)))
        else:
            raise UserError(f"{shorten(text)}: a results directory with a name is written as NAME=DIR, such as old=results")
    return folders


def parse_selection(
    methods: Sequence[str] | None, tasks: Sequence[str] | None, rename: Sequence[str] | None, order: Sequence[str] | None
) -> Selection:
    """What of the results is shown, under which names and in which order."""
    from harness.report.selection import Selection

    names: dict[str, str] = {}
    for text in rename or ():
        old, _, new = (part.strip() for part in text.partition("="))
        if not old or not new:
            raise UserError(f"--rename {shorten(text)}: is written as OLD=NEW, such as rnd=RND")
        if old in names:
            raise UserError(f"--rename: {old!r} is given two names, {names[old]!r} and {new!r}")
        names[old] = new
    return Selection(tuple(methods or ()), tuple(tasks or ()), names, tuple(order or ()))
