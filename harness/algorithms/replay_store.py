"""A replay buffer on the disk: each checkpoint adds the transitions since the last one, and never writes the others again.

``checkpoint/replay/`` holds immutable safetensors files, each with consecutive vector steps of SB3's arrays. The checkpoint's
state names those that belong to it, with their SHA-256; files that it does not name are removed once it is complete. A kill at
any instant therefore leaves a complete checkpoint and all files that it names. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from stable_baselines3.common.buffers import ReplayBuffer

from harness.errors import RunError
from harness.runs.files import write_bytes_atomic

SEGMENT_BYTES = 64 << 20
"""Largest file, unless a single vector step is larger; what is written or read is in memory a second time."""

_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


@dataclass(frozen=True)
class Segment:
    """One file.

    Attributes:
        name: Name of the file, without its folder.
        first: Its first vector step, counted since the buffer was last empty.
        end: The one after its last.
        bytes: Size of the file in bytes.
        sha256: Hexadecimal digest of the file's content.
    """

    name: str
    first: int
    end: int
    bytes: int
    sha256: str


class ReplayStore:
    """What is in a replay buffer, and which of it is on the disk.

    Args:
        buffer: Without SB3's ``optimize_memory_usage``, which keeps no transition by itself.
    """

    def __init__(self, buffer: ReplayBuffer) -> None:
        self.buffer = buffer
        self._added = 0
        self._emptied = 0
        self._segments: list[Segment] = []

    @property
    def bytes_on_disk(self) -> int:
        """Bytes of the files that the last `save` named."""
        return sum(segment.bytes for segment in self._segments)

    def record_added(self, n_steps: int) -> None:
        """Note that so many vector steps were added to the buffer."""
        self._added += n_steps

    def clear(self) -> None:
        """Forget every transition; files go with the next checkpoint."""
        self.buffer.reset()
        self._added, self._segments = 0, []
        self._emptied += 1

    def save(self, folder: Path, *, last: bool = False) -> dict[str, Any]:
        """Write what is not on the disk yet.

        Args:
            folder: Where files go; created if need be.
            last: The run ends here, and nothing will be sampled any more: name no file, so that `remove_unreferenced` removes
                them all.

        Returns:
            What `load` needs, as a tree for the checkpoint.
        """
        if last:
            self._segments = []
            return {"added": 0, "emptied": self._emptied, "segments": []}
        folder.mkdir(parents=True, exist_ok=True)
        oldest = self._oldest_step
        self._segments = [segment for segment in self._segments if segment.end > oldest]
        first = self._segments[-1].end if self._segments else oldest
        for start, end in self._segment_ranges(first):
            name = f"{self._emptied:04d}-{start:012d}-{end:012d}.safetensors"
            data = safetensors.numpy.save(self._rows(start, end))
            write_bytes_atomic(folder / name, data)
            self._segments.append(Segment(name, start, end, len(data), hashlib.sha256(data).hexdigest()))
        return {"added": self._added, "emptied": self._emptied, "segments": [asdict(segment) for segment in self._segments]}

    def load(self, folder: Path, state: Mapping[str, Any]) -> None:
        """Fill the buffer as it was when `save` gave this.

        Raises:
            RunError: A file is missing or damaged.
        """
        self._added, self._emptied = state["added"], state["emptied"]
        self._segments = [Segment(**segment) for segment in state["segments"]]
        for segment in self._segments:
            self._fill(segment, _read(folder / segment.name, segment))
        size = self.buffer.buffer_size
        self.buffer.pos, self.buffer.full = self._added % size, self._added >= size

    def remove_unreferenced(self, folder: Path) -> None:
        """Remove every file that the last `save` did not name; for when the checkpoint that names them is complete."""
        named = {segment.name for segment in self._segments}
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.name not in named:
                file.unlink()

    @property
    def _oldest_step(self) -> int:
        """The first vector step that the buffer still holds."""
        return max(0, self._added - self.buffer.buffer_size)

    def _segment_ranges(self, first: int) -> Iterator[tuple[int, int]]:
        row_bytes = sum(getattr(self.buffer, name)[0].nbytes for name in _ARRAYS)
        rows = max(1, SEGMENT_BYTES // row_bytes)
        for start in range(first, self._added, rows):
            yield start, min(start + rows, self._added)

    def _rows(self, first: int, end: int) -> dict[str, np.ndarray]:
        places = np.arange(first, end) % self.buffer.buffer_size
        return {name: getattr(self.buffer, name)[places] for name in _ARRAYS}

    def _fill(self, segment: Segment, arrays: Mapping[str, np.ndarray]) -> None:
        first = max(segment.first, self._oldest_step)
        places = np.arange(first, segment.end) % self.buffer.buffer_size
        for name in _ARRAYS:
            getattr(self.buffer, name)[places] = arrays[name][first - segment.first :]


def _read(file: Path, segment: Segment) -> dict[str, np.ndarray]:
    try:
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() == segment.sha256:
            return safetensors.numpy.load(data)
        cause: object = "its checksum does not match"
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        cause = error
    raise RunError(f"{file}: this part of the replay buffer is damaged ({cause}); run again with --fresh to start over")
