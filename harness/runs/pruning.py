"""Removing what is left of runs that nobody wants any more.

These are unfinished ones whose settings were abandoned, and, asked for apart, those of methods and tasks that were dropped
from their suite.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.runs.collection import collect_below
from harness.runs.guarded import reason_of
from harness.runs.lock import AlreadyClaimed
from harness.runs.reading import CollectedRun


@dataclass(frozen=True)
class DeadRun:
    """A run that would be removed.

    Attributes:
        run: The run, as it was found.
        size: Bytes that its folder takes.
    """

    run: CollectedRun
    size: int


Confirm = Callable[[Sequence[DeadRun]], bool]
"""Takes what would be removed, and says whether it is to be."""


@dataclass(frozen=True)
class Pruned:
    """What became of dead runs.

    Attributes:
        found: Those that were found, by the paths of their folders: unfinished ones of abandoned settings first, then those of
            methods and tasks that were dropped from their suite.
        removed: Those that were removed.
        left: One line for each that could not be removed.
        unreadable: One line for each thing that could not be read.
    """

    found: Sequence[DeadRun]
    removed: Sequence[DeadRun]
    left: Sequence[str]
    unreadable: Sequence[str]


def prune_below(roots: Iterable[Path], confirm: Confirm, confirm_dropped: Confirm | None = None) -> Pruned:
    """Remove the dead runs of abandoned settings at or below some folders; see `harness.runs.planned`.

    Finished runs of abandoned settings stay, and so does what a process holds or may hold. Nothing is removed but the folders
    of such runs, and the folders above them that are empty then.

    Args:
        roots: Results directories, or parts of them.
        confirm: Takes what would be removed, if there is anything, and says whether it is to be.
        confirm_dropped: Takes the runs that no plan asks for any more, see `harness.runs.dropped`, and says whether they
            are to be removed; ``None`` for not looking for them.

    Raises:
        ResultsError: A root does not exist.
    """
    roots = list(roots)
    collection = collect_below(roots)
    everything = [*collection.runs, *collection.abandoned]
    pruned = Pruned([], [], [], collection.unreadable)
    groups = [(collection.superfluous, confirm)]
    groups += [(collection.dropped, confirm_dropped)] if confirm_dropped is not None else []
    for names, asked in groups:
        there = sorted((run for run in everything if run.name in names), key=lambda run: run.name)
        pruned = _prune(pruned, [DeadRun(run, _size(run.folder.path)) for run in there], asked, roots)
    return pruned


def _prune(so_far: Pruned, found: Sequence[DeadRun], confirm: Confirm, roots: Sequence[Path]) -> Pruned:
    """What became of dead runs, with those of one more group."""
    removed: list[DeadRun] = []
    left: list[str] = []
    for one in found if found and confirm(found) else ():
        if problem := _remove(one.run, roots):
            left.append(f"{one.run.name}: {problem}")
        else:
            removed.append(one)
    return Pruned([*so_far.found, *found], [*so_far.removed, *removed], [*so_far.left, *left], so_far.unreadable)


def _remove(run: CollectedRun, roots: Sequence[Path]) -> str:
    """Remove a run's folder, unless anything has changed since it was found; returns why it is left alone, if it is."""
    folder, within = run.folder, [os.path.realpath(root) for root in roots]
    real = os.path.realpath(folder.path)
    if folder.path.is_symlink() or not any(
        real == root or real.startswith(f"{root.rstrip(os.sep)}{os.sep}") for root in within
    ):
        return "lies outside the results folder, and is left alone"
    try:
        with folder.claim():
            if folder.read().status != run.record.status:
                return "has changed since it was looked at, and is left alone"
            folder.clear()
    except AlreadyClaimed:
        return "is in use, and is left alone"
    except HarnessError as error:
        return str(error)
    except OSError as error:
        return f"cannot be removed ({reason_of(error)})"
    _remove_empty(folder.path, within)
    return ""


def _remove_empty(folder: Path, roots: Sequence[str]) -> None:
    """Remove the folder of a run, of its method and of its task, as far as they are empty and no results folder themselves."""
    for place in (folder, *folder.parents[:2]):
        if place is not folder and os.path.realpath(place) in roots:
            return
        with suppress(OSError):
            place.rmdir()


def _size(folder: Path) -> int:
    """Bytes that the files of a folder take; links count nothing, and neither does what may not be looked at."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total
