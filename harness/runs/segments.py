"""Immutable files beside a checkpoint: arrays that grow by rows, of which each checkpoint writes the new ones alone.

A folder such as ``checkpoint/replay/`` holds safetensors files, each with consecutive rows of some arrays. The checkpoint's
state names those that belong to it, with their SHA-256; files that it does not name are removed once it is complete. A kill at
any instant therefore leaves a complete checkpoint and all files that it names. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from harness.errors import RunError
from harness.runs.files import write_bytes_atomic
from harness.runs.guarded import Unreadable, read_bytes

SEGMENT_BYTES = 64 << 20
"""Largest file, unless a single row is larger; what is written or read is in memory a second time."""

Arrays = Mapping[str, np.ndarray]
"""Arrays by name, with as many rows each."""


@dataclass(frozen=True)
class Segment:
    """One file.

    Attributes:
        name: Name of the file, without its folder.
        first: Its first row, counted since the arrays were last empty.
        end: The one after its last.
        bytes: Size of the file in bytes.
        sha256: Hexadecimal digest of the file's content.
    """

    name: str
    first: int
    end: int
    bytes: int
    sha256: str


class Segments:
    """The files that a checkpoint names, in the order of their rows.

    Args:
        what: What the files are parts of, for messages: "the replay buffer".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._segments: list[Segment] = []

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments)

    @property
    def bytes(self) -> int:
        """Bytes of all of them."""
        return sum(segment.bytes for segment in self._segments)

    @property
    def end(self) -> int | None:
        """The row after the last one; ``None`` without any."""
        return self._segments[-1].end if self._segments else None

    def clear(self) -> None:
        """Name none of them any more."""
        self._segments = []

    def drop_before(self, row: int) -> None:
        """Name no file any more that has only rows before this one."""
        self._segments = [segment for segment in self._segments if segment.end > row]

    def append(self, folder: Path, prefix: str, first: int, arrays: Arrays) -> None:
        """Write rows to a new file, which survives a power cut, and name it.

        Args:
            folder: Where it goes; created if need be.
            prefix: Beginning of its name.
            first: Number of the first row.
            arrays: Rows to be written, of every array; of further ones, which rows refer to, after the first.
        """
        folder.mkdir(parents=True, exist_ok=True)
        end = first + len(next(iter(arrays.values())))
        name = f"{prefix}-{first:012d}-{end:012d}.safetensors"
        data = safetensors.numpy.save(dict(arrays))
        write_bytes_atomic(folder / name, data)
        self._segments.append(Segment(name, first, end, len(data), hashlib.sha256(data).hexdigest()))

    def append_merged(self, folder: Path, prefix: str, first: int, arrays: Arrays) -> None:
        """Like `append`, together with the rows of the newest files as long as these have less than twice as many.

        So N files of equal size become about log N, and no row is written more often than that.
        """
        kept = len(self._segments)
        while kept and self._belongs_with(self._segments[kept - 1], arrays):
            last = self._segments[kept - 1]
            try:
                older = self.read(folder, last)
            except RunError:  # whoever resumes will be told; this process can do without
                break
            arrays = {name: np.concatenate([older[name], array]) for name, array in arrays.items()}
            kept, first = kept - 1, last.first
        segments, self._segments = self._segments[:kept], []
        self.append(folder, prefix, first, arrays)
        self._segments = [*segments, *self._segments]

    def read(self, folder: Path, segment: Segment) -> dict[str, np.ndarray]:
        """The rows of one file.

        Raises:
            RunError: It is missing or damaged.
        """
        file = folder / segment.name
        try:
            data = read_bytes(file, segment.bytes)
            if data is not None and hashlib.sha256(data).hexdigest() == segment.sha256:
                return safetensors.numpy.load(data)
            cause: object = "it is missing" if data is None else "its checksum does not match"
        except (Unreadable, ValueError, safetensors.SafetensorError) as error:
            cause = error
        raise RunError(f"{file}: this part of {self._what} is damaged ({cause}); run again with --fresh to start over")

    def remove_unreferenced(self, folder: Path) -> None:
        """Remove every other file of the folder; for when the checkpoint that names these is complete."""
        named = {segment.name for segment in self._segments}
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.name not in named:
                file.unlink()

    @staticmethod
    def _belongs_with(last: Segment, arrays: Arrays) -> bool:
        rows, size = len(next(iter(arrays.values()))), sum(array.nbytes for array in arrays.values())
        return last.end - last.first < 2 * rows and last.bytes + size <= SEGMENT_BYTES

    def as_tree(self) -> list[dict[str, Any]]:
        """What the checkpoint's state says of them."""
        return [asdict(segment) for segment in self._segments]

    def load_tree(self, tree: Sequence[Mapping[str, Any]]) -> None:
        """Name those that a checkpoint's state named."""
        self._segments = [Segment(**segment) for segment in tree]
