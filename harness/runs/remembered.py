"""Evaluations that were read before, kept in a file so that the next process reads only what has changed since.

A line of JSON for each run holds what was read of its ``evaluations.csv``, and that file's numbers, size and times on the
disk; only while all of these are the same is the line believed. The first line holds the version of the reader, which is a
digest of its source, and a checksum of the others: a file that another version wrote, or that has been damaged, counts as
none. Losing it costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from harness.errors import HarnessError
from harness.runs.evaluations import Evaluation
from harness.runs.guarded import MIB, read_bytes
from harness.runs.output import OutputFolder

MEMORY_FOLDER = ".harness-cache"
"""The folder of what may be lost, below the folder of results that a report is first of all about."""

MEMORY_FILE = "evaluations.jsonl"

FRESH_NS = 2_000_000_000
"""Nanoseconds for which a file may be changed again without a change of its times, on the coarsest of disks."""

_MAX_BYTES = 256 * MIB
_FORMAT = 1
_DECODER = json.JSONDecoder()
_READERS = ("remembered.py", "evaluations.py", "files.py", "guarded.py")

Signature = tuple[int, ...]
"""Device and number of a file, its size in bytes, and when content and status were changed, in nanoseconds."""


class ReadingMemory:
    """What was read of evaluations by an earlier process, and what is to be kept for the next.

    Args:
        folder: The folder of the file.

    Attributes:
        unfinished: What was found of runs that are not finished, by folder; it depends on more than files, since only a living
            process tells whether a run goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.unfinished: dict[str, str] = {}
        self._folder = Path(folder)
        self._lines = _read_lines(self._folder / MEMORY_FILE)
        self._kept: dict[str, bytes] = {}

    def find(self, run: Path, signature: Signature) -> list[Evaluation] | None:
        """What was read of a run's evaluations; ``None`` where that is not known, or the file has changed since."""
        name = self._name(run)
        line = self._lines.get(name)
        if line is None:
            return None
        try:
            _, known, measurements, rows = json.loads(line)
            if tuple(known) != signature:
                return None
            found = [
                Evaluation(step, episodes, dict(zip(measurements, means, strict=True))) for step, episodes, *means in rows
            ]
        except (ValueError, TypeError, RecursionError):
            return None
        self._kept[name] = line
        return found

    def keep(self, run: Path, signature: Signature, evaluations: Sequence[Evaluation]) -> None:
        """Keep what was read of a file, unless it may yet change without a trace, or JSON has no words for it."""
        if time.time_ns() - max(signature[-2:]) < FRESH_NS:
            return
        names = list(evaluations[0].means) if evaluations else []
        rows = [[one.step, one.episodes, *one.means.values()] for one in evaluations]
        if all(value is None or math.isfinite(value) for _, _, *values in rows for value in values):
            name = self._name(run)
            text = json.dumps([name, signature, names, rows], separators=(",", ":"), allow_nan=False)
            self._kept[name] = text.encode()

    def _name(self, run: Path) -> str:
        """A run's folder as seen from the results, which may be moved to another place or machine."""
        return os.path.relpath(run, self._folder.parent)

    def save(self) -> None:
        """Write the file, if it is not so already and can be written."""
        if self._kept == self._lines:
            return
        lines: list[bytes] = []
        room = _MAX_BYTES - MIB
        for name in sorted(self._kept):
            room -= len(self._kept[name]) + 1
            if room < 0:
                break
            lines.append(self._kept[name])
        body = b"\n".join(lines)
        head = {"format": _FORMAT, "reader": _reader_version(), "sha256": hashlib.sha256(body).hexdigest()}
        with suppress(HarnessError):  # it may be lost
            place = OutputFolder(self._folder.parent)  # below which no link is followed
            place.write(f"{self._folder.name}/{MEMORY_FILE}", json.dumps(head).encode() + b"\n" + body)


def _read_lines(file: Path) -> dict[str, bytes]:
    """The lines of a file by run; none where there is no such file, or nothing in it can be believed."""
    with suppress(HarnessError, ValueError, KeyError, TypeError, RecursionError):
        data = read_bytes(file, _MAX_BYTES)
        if data is None:
            return {}
        first, _, body = data.partition(b"\n")
        head: dict[str, Any] = json.loads(first)
        said = (head["format"], head["reader"], head["sha256"])
        if said == (_FORMAT, _reader_version(), hashlib.sha256(body).hexdigest()):
            return {_run_of(line): line for line in body.split(b"\n") if line}
    return {}


def _run_of(line: bytes) -> str:
    """The run that a line is about, which stands first in it."""
    return cast(str, _DECODER.raw_decode(line.decode(), 1)[0])


@cache
def _reader_version() -> str:
    """A digest of the source of whatever turns the bytes of a file into evaluations."""
    parts = [(files("harness.runs") / name).read_bytes() for name in _READERS]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


_current: ContextVar[ReadingMemory | None] = ContextVar("reading memory", default=None)


def reading_memory() -> ReadingMemory | None:
    """What readers of this context may ask; ``None`` outside of `remembering`."""
    return _current.get()


@contextmanager
def remembering(folder: Path) -> Generator[ReadingMemory]:
    """Readers that are made within the block use what is kept in a folder, and leave there what they read."""
    known = ReadingMemory(folder)
    token = _current.set(known)
    try:
        yield known
        known.save()
    finally:
        _current.reset(token)
