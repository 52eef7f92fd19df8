"""The pictures of an episode in their order, compressed in a file without a name, so that long episodes take no memory."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

_FASTEST = 1


class Reel(Sequence[np.ndarray]):
    """Pictures uint8 ``(height, width, 3)``, all of one size."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  it goes when the reel does
        self._ends = [0]
        self._shape: tuple[int, ...] = ()

    def append(self, picture: np.ndarray) -> None:
        """Add a picture.

        Raises:
            ValueError: It is of another size than the first one.
        """
        self._shape = self._shape or picture.shape
        if picture.shape != self._shape:
            raise ValueError(f"a film of pictures {self._shape} cannot go on with one of {picture.shape}")
        self._file.seek(self._ends[-1])
        self._file.write(zlib.compress(np.ascontiguousarray(picture).tobytes(), _FASTEST))
        self._ends.append(self._file.tell())

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        self._file.seek(self._ends[i])
        data = zlib.decompress(self._file.read(self._ends[i + 1] - self._ends[i]))
        return np.frombuffer(data, np.uint8).reshape(self._shape)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    def close(self) -> None:
        """Forget the pictures."""
        self._file.close()
