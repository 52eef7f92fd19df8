"""Writing files so that a crash at any instant leaves the old content or the new, never half of either."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.runs.fencing import publishing
from harness.runs.guarded import MIB, Unreadable, read_bytes, read_ends

_MAX_CSV_BYTES = 512 * MIB
_TAIL_BYTES = 1 << 16

TEMPORARY = ".tmp-"
"""Prefix of files that are being written; what a crash leaves behind under it may be deleted."""


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``: written aside, flushed to the disk, renamed.

    Raises:
        OSError: When the folder does not exist or cannot be written; ``path`` is untouched then.
        harness.runs.lock.LostClaim: It lies in a folder that another process has taken over; ``path`` is untouched then.
    """
    with publishing(path):
        _replace(path, data)


def draft_beside(path: Path) -> Path:
    """A file of nobody else's, in which what is to replace ``path`` can be written."""
    return path.with_name(f"{TEMPORARY}{path.name}.{os.getpid()}.{secrets.token_hex(4)}")


def _replace(path: Path, data: bytes) -> None:
    temporary = draft_beside(path)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # also on Ctrl-C: nothing half-written may stay
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text_atomic(path: Path, text: str) -> None:
    """Replace ``path`` by UTF-8 ``text``; see `write_bytes_atomic`."""
    write_bytes_atomic(path, text.encode())


def write_json_atomic(path: Path, data: Any) -> None:
    """Replace ``path`` by ``data`` as indented JSON; NaN and infinity are refused, for JSON has neither."""
    write_text_atomic(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut, where the system lets one open folders."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows does not open folders, and needs none of this
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """``rows`` as CSV text; lines end in a line feed alone."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def read_csv_rows(path: Path, limit: int = _MAX_CSV_BYTES) -> tuple[list[str], list[dict[str, str]]]:
    """Header and complete rows of a CSV file that may have been cut while a line was being appended.

    A last line without its line end, and rows that are shorter or longer than the header, are left out.

    Args:
        path: Path of the file.
        limit: The largest size in bytes.

    Returns:
        Column names and one dictionary per row; both empty when the file is missing or empty.

    Raises:
        harness.runs.guarded.Unreadable: It may not be read, or is no regular file of CSV.
    """
    data = read_bytes(path, limit)
    return parse_csv_rows(path, data or b"")


def read_csv_lines(path: Path, limit: int = _MAX_CSV_BYTES) -> tuple[list[str], list[list[str]]]:
    """Like `read_csv_rows`, with each row as its cells in the order of the header."""
    data = read_bytes(path, limit)
    return _parse_csv_lines(path, data or b"")


def read_last_csv_row(path: Path) -> dict[str, str]:
    """The last complete row of a CSV file, read without what lies between it and the header; empty if there is none.

    Raises:
        harness.runs.guarded.Unreadable: As of `read_csv_rows`.
    """
    data = read_ends(path, _TAIL_BYTES)
    _, rows = parse_csv_rows(path, data) if data else ([], [])
    return rows[-1] if rows else {}


def parse_csv_rows(path: Path, data: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """The rows of a CSV file's content; see `read_csv_rows`."""
    header, lines = _parse_csv_lines(path, data)
    return header, [dict(zip(header, line, strict=True)) for line in lines]


def _parse_csv_lines(path: Path, data: bytes) -> tuple[list[str], list[list[str]]]:
    text = data.decode(errors="replace")
    complete = text[: text.rfind("\n") + 1]
    try:
        lines = list(csv.reader(io.StringIO(complete)))
    except csv.Error as error:
        raise Unreadable(path, f"cannot be read ({error})") from None
    if not lines:
        return [], []
    header = lines[0]
    return header, [line for line in lines[1:] if len(line) == len(header)]
