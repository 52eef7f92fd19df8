"""What was done in the environments since they were last seeded: by it, those that cannot save their state come back.

Environments are deterministic in their seeds and actions. So a checkpoint keeps the actions, in the smallest type that holds
them, and beside each step a checksum of its rewards and episode ends; resuming does the actions again and compares.
``checkpoint/actions/`` holds the files, see `harness.runs.segments`; a row is a vector step.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from harness.runs import segments
from harness.runs.segments import Segments

_CHUNK = 1024
"""Vector steps for which memory is taken at once."""

_NAME = "actions"
_CHECKSUMS = "checksums"


class ActionLog:
    """The actions of N environments since they were last seeded.

    Args:
        space: Space of one environment's actions.
        n_envs: Number of environments, N.
    """

    def __init__(self, space: spaces.Space[Any], n_envs: int) -> None:
        self._space_dtype = np.dtype(cast(Any, space.dtype))
        self._dtype = _stored_dtype(space, self._space_dtype)
        self._shape = (n_envs, *(space.shape or ()))
        self._segments = Segments("the log of actions")
        self._seedings, self._saved, self._filled = 0, 0, 0
        self._chunks: list[tuple[np.ndarray, np.ndarray]] = []

    def __len__(self) -> int:
        return self._saved + self._rows_in_memory

    def clear(self) -> None:
        """Begin anew, since the environments have been seeded; files go with the next checkpoint."""
        self._seedings += 1
        self._saved, self._filled, self._chunks = 0, 0, []
        self._segments.clear()

    def as_done(self, actions: np.ndarray) -> np.ndarray:
        """The actions in the type in which they will be done again; most often the very same array."""
        return np.asarray(actions).astype(self._space_dtype, copy=False)

    def as_stored(self, actions: np.ndarray) -> np.ndarray:
        """The actions in the smallest type that holds them."""
        return np.asarray(actions).astype(self._dtype)

    def record(self, actions: np.ndarray, rewards: np.ndarray, dones: np.ndarray) -> None:
        """Add a vector step.

        Args:
            actions: What was done, as `as_done` gave it.
            rewards: What the environments answered, ``(N,)``.
            dones: Which episodes ended, ``(N,)``.
        """
        if not self._chunks or self._filled == _CHUNK:
            self._chunks.append((np.empty((_CHUNK, *self._shape), self._dtype), np.empty(_CHUNK, np.uint32)))
            self._filled = 0
        stored, checksums = self._chunks[-1]
        stored[self._filled] = actions
        checksums[self._filled] = checksum(rewards, dones)
        self._filled += 1

    def save(self, folder: Path, *, last: bool = False) -> dict[str, Any]:
        """Write what is not on the disk yet.

        Args:
            folder: Where files go; created if need be.
            last: The run ends here, and nothing will be done again: name no file, so that `remove_unreferenced` removes them
                all.

        Returns:
            What `load` needs, as a tree for the checkpoint.
        """
        if last:
            self._segments.clear()
            return {"steps": 0, "seedings": self._seedings, "segments": []}
        arrays, rows = self._in_memory(), self._rows_of_a_file()
        for first in range(0, self._rows_in_memory, rows):
            part = {name: array[first : first + rows] for name, array in arrays.items()}
            self._segments.append_merged(folder, f"{self._seedings:04d}", self._saved + first, part)
        self._saved, self._filled, self._chunks = len(self), 0, []
        return {"steps": self._saved, "seedings": self._seedings, "segments": self._segments.as_tree()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on where `save` gave this."""
        self._saved, self._seedings = state["steps"], state["seedings"]
        self._filled, self._chunks = 0, []
        self._segments.load_tree(state["segments"])

    def read(self, folder: Path) -> Iterator[tuple[np.ndarray, int]]:
        """What `save` has written: actions as they were done, and the checksum of each step.

        Raises:
            RunError: A file is missing or damaged.
        """
        for segment in self._segments:
            arrays = self._segments.read(folder, segment)
            for actions, expected in zip(arrays[_NAME], arrays[_CHECKSUMS].tolist(), strict=True):
                yield actions.astype(self._space_dtype), expected

    def remove_unreferenced(self, folder: Path) -> None:
        """Remove every file that the last `save` did not name; for when the checkpoint that names them is complete."""
        self._segments.remove_unreferenced(folder)

    @property
    def _rows_in_memory(self) -> int:
        return (len(self._chunks) - 1) * _CHUNK + self._filled if self._chunks else 0

    def _in_memory(self) -> dict[str, np.ndarray]:
        n = self._rows_in_memory
        columns = zip(*self._chunks, strict=True)
        return {name: np.concatenate(parts)[:n] for name, parts in zip((_NAME, _CHECKSUMS), columns, strict=n > 0)}

    def _rows_of_a_file(self) -> int:
        row_bytes = math.prod(self._shape) * self._dtype.itemsize + np.dtype(np.uint32).itemsize
        return max(1, segments.SEGMENT_BYTES // row_bytes)


def checksum(rewards: np.ndarray, dones: np.ndarray) -> int:
    """The CRC-32 of what a vector step has answered."""
    return zlib.crc32(dones.tobytes(), zlib.crc32(rewards.tobytes()))


def _stored_dtype(space: spaces.Space[Any], dtype: np.dtype) -> np.dtype:
    """The smallest type that holds every action of the space exactly."""
    if isinstance(space, spaces.Discrete):
        lowest, highest = int(space.start), int(space.start + space.n - 1)
    elif isinstance(space, spaces.MultiDiscrete):
        starts = cast(np.ndarray, space.start)
        lowest, highest = int(starts.min()), int((starts + space.nvec - 1).max())
    elif isinstance(space, spaces.MultiBinary):
        lowest, highest = 0, 1
    else:
        return dtype
    return np.result_type(np.min_scalar_type(lowest), np.min_scalar_type(highest))
