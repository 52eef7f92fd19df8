"""A run's growing tables, as CSV: they survive a kill and can be wound back to a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from harness.errors import RunError
from harness.runs.fencing import publishing
from harness.runs.files import csv_text, read_csv_rows, write_text_atomic
from harness.runs.guarded import to_count
from harness.training.own_files import OwnFiles


class CsvTable:
    """A CSV file that grows by rows; new columns are added on the right when they first appear.

    Args:
        path: Path of the file.
        columns: Those to begin with; an existing file's own come first.
        own_files: The files that nobody else may change, this one among them; ``None`` if nobody looks after them.
    """

    def __init__(self, path: Path, columns: Sequence[str] = (), own_files: OwnFiles | None = None) -> None:
        self.path = path
        self._own_files = own_files
        self._columns = list(columns)
        self._file: IO[str] | None = None
        self.last: int | None = None

    def rewind(self, column: str, last: int) -> None:
        """Begin where ``column`` is at most ``last``: later rows and a torn last line are dropped; `last` is what remains.

        Args:
            column: A column of whole numbers that never decrease.
            last: The largest to keep; below 0 empties the file.

        Raises:
            RunError: A row has no such number.
        """
        header, rows = read_csv_rows(self.path)
        if last < 0 or column not in header:
            header, rows = [], []
        kept = [row for i, row in enumerate(rows, 1) if self._count(row[column], f"row {i}: {column}") <= last]
        self.last = int(kept[-1][column]) if kept else None
        if kept != rows:  # columns that only dropped rows filled will come back where they were
            header = [name for name in header if any(row[name] for row in kept) or name in self._columns]
        self._columns = [*header, *(name for name in self._columns if name not in header)]
        self._rewrite(kept)

    def _count(self, text: str, what: str) -> int:
        count = to_count(text)
        if count is None:
            raise RunError(f"{self.path}: {what} is {text!r:.60}, not a count; run again with --fresh to start over")
        return count

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row; columns without a value, or with ``None``, stay empty."""
        new = [name for name, value in row.items() if value is not None and name not in self._columns]
        if new:
            if self._own_files:
                self._own_files.check()
            _, rows = read_csv_rows(self.path)
            self._columns += new
            self._rewrite(rows)
        text = csv_text([["" if row.get(name) is None else row[name] for name in self._columns]])
        with publishing(self.path):  # it was opened when the folder was ours, which says nothing about now
            file = self._open()
            file.write(text)
            file.flush()

    def sync(self) -> None:
        """Make every row survive a power cut."""
        os.fsync(self._open().fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[str]:
        if self._file is None:
            self._file = self.path.open("a", encoding="utf-8", newline="")
        return self._file

    def _rewrite(self, rows: Sequence[Mapping[str, str]]) -> None:
        self.close()
        lines = [self._columns, *([row.get(name, "") for name in self._columns] for row in rows)]
        write_text_atomic(self.path, csv_text(lines))
        if self._own_files:
            self._own_files.remember_growing(self.path)
