"""The one guarded reader of what lies in a results folder: anybody may have written it, and nothing of it is believed.

Only regular files are read, up to a size, and JSON only up to a depth. What is not there is told from what may not be looked
at: the former is ``None``, the latter an error that names the file. A named pipe, a device or a folder in a file's place is
never opened, so that nothing waits for ever.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from harness.errors import ResultsError, printable
from harness.spec import MAX_COUNT

MIB = 1 << 20
_PIECE_BYTES = 16 * MIB

MAX_FILE_BYTES = 256 * MIB
"""The largest file that is read unless a reader says otherwise."""

MAX_DEPTH = 100
"""How deep JSON may be nested; what the harness writes is nested about ten deep."""

MAX_INTEGER_BITS = 1024
"""The size of integers in JSON; states of random generators have 128 bits."""

MAX_NUMBER_LENGTH = 64
"""Characters of a number in a table."""

_SHOWN = 300

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


class Unreadable(ResultsError):
    """Something in a results folder that cannot be read, or contradicts itself; the message names it in one line.

    Args:
        path: What it is.
        reason: Why it cannot be used, and what would help.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = Path(path)
        super().__init__(f"{printable(str(path), 4 * _SHOWN)}: {printable(reason, _SHOWN)}")


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8: JSON and names of files can hold halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def reason_of(error: Exception) -> str:
    """The reason that the system gives, without the path."""
    return getattr(error, "strerror", None) or str(error)


def look(path: Path) -> os.stat_result | None:
    """The status of what lies at a path, links followed; ``None`` if there is nothing.

    Raises:
        Unreadable: It may not be looked at, or is a link that leads nowhere.
    """
    try:
        return path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise Unreadable(path, "is a link that leads nowhere") from None
        return None
    except PermissionError as error:
        barred = _barred(path)
        raise Unreadable(barred or path, f"may not be {'entered' if barred else 'read'} ({reason_of(error)})") from None
    except (OSError, ValueError) as error:
        raise Unreadable(path, _cannot_read(error)) from None


def signature_of(found: os.stat_result) -> tuple[int, ...]:
    """What tells a file, as it is, from itself after a change and from any other in its place.

    Returns:
        Device and number, the size in bytes, and when content and status were changed, in nanoseconds.
    """
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def may(path: Path, mode: int) -> bool:
    """Whether this process may do something with what lies at a path; ``mode`` is that of `os.access`."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def is_folder(path: Path) -> bool:
    """Whether there is a folder.

    Raises:
        Unreadable: It may not be looked at, or is a link that leads nowhere.
    """
    found = look(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def refuse_other_than_file(path: Path) -> None:
    """Make sure that there is a regular file or nothing, for what is opened by somebody else's code.

    Raises:
        Unreadable: There is something else, it may not be looked at, or it is a link that leads nowhere.
    """
    if (found := look(path)) is not None:
        _check_kind(path, found, None)


def _read_at_most(file: BinaryIO, n: int) -> bytes:
    """The first n bytes, piece by piece: asked for all of them at once, Python makes room for n, however few there are."""
    parts: list[bytes] = []
    while n > 0 and (part := file.read(min(n, _PIECE_BYTES))):
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def read_bytes(path: Path, limit: int = MAX_FILE_BYTES) -> bytes | None:
    """The content of a regular file; ``None`` if there is none.

    Raises:
        Unreadable: It may not be read, is no regular file, or is larger than ``limit`` bytes.
    """
    try:
        with _open(path, limit) as file:
            data = _read_at_most(file, limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(path, _cannot_read(error)) from None
    if len(data) > limit:  # it grew, or is a file whose size the system does not know
        raise Unreadable(path, f"is larger than {_size(limit)}")
    return data


def read_ends(path: Path, n: int) -> bytes | None:
    """The first line of a regular file, of at most ``n`` bytes, and whole lines of its last ``n``; ``None`` without a file.

    Raises:
        Unreadable: It may not be read, or is no regular file.
    """
    try:
        with _open(path, None) as file:
            first = file.readline(n)
            if not first.endswith(b"\n"):
                return first
            start = max(os.fstat(file.fileno()).st_size - n, len(first))
            file.seek(start - 1)  # the character before tells whether a line begins there
            last = file.read(n + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(path, _cannot_read(error)) from None
    return first + last[last.find(b"\n") + 1 :]


@contextmanager
def _open(path: Path, limit: int | None) -> Generator[BinaryIO]:
    """A regular file, open to be read.

    Raises:
        Unreadable: What lies there is no regular file, may not be looked at, or is too large.
        FileNotFoundError: There is nothing.
        OSError: It cannot be opened.
    """
    found = look(path)  # before it is opened, which alone can change a device
    if found is None:
        raise FileNotFoundError
    _check_kind(path, found, limit)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        _check_kind(path, os.fstat(descriptor), limit)  # another may lie there by now
        yield file


def read_text(path: Path, limit: int = MAX_FILE_BYTES) -> str | None:
    """The UTF-8 text of a regular file; ``None`` if there is none.

    Raises:
        Unreadable: As of `read_bytes`, or it is no text.
    """
    data = read_bytes(path, limit)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"cannot be read ({error.reason} at byte {error.start}, where UTF-8 text should be)") from None


def read_json(path: Path, limit: int = MAX_FILE_BYTES) -> Any:
    """The JSON in a regular file; ``None`` if there is no file. JSON that is ``null`` is refused.

    Raises:
        Unreadable: As of `read_text`, or it is no JSON, nested too deep, or holds numbers that JSON does not have.
    """
    text = read_text(path, limit)
    if text is None:
        return None
    try:
        content = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded)
        if text.count("[") + text.count("{") > MAX_DEPTH or "\\u" in text:  # else it is not deep and its characters are whole
            _check_values(content)
    except RecursionError:
        raise Unreadable(path, f"cannot be read (nested deeper than {MAX_DEPTH} levels)") from None
    except ValueError as error:
        raise Unreadable(path, f"cannot be read ({error})") from None
    if content is None:
        raise Unreadable(path, "cannot be read (holds null)")
    return content


def to_number(text: str | None) -> float | None:
    """The number that a cell of a table holds, NaN and infinity included; ``None`` if it holds none.

    >>> to_number("1e3"), to_number("nan"), to_number("1_000"), to_number("")
    (1000.0, nan, None, None)
    """
    if not text or len(text) > MAX_NUMBER_LENGTH or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def to_count(text: str | None) -> int | None:
    """The count that a cell of a table holds, as whole number from 0 to `MAX_COUNT`; ``None`` if it holds none.

    >>> to_count("512"), to_count("512.0"), to_count("nan"), to_count("-1"), to_count("1e30"), to_count("0.5")
    (512, 512, None, None, None, None)
    """
    number = to_number(text)
    return int(number) if number is not None and 0 <= number <= MAX_COUNT and number.is_integer() else None


def _barred(path: Path) -> Path | None:
    """The uppermost folder above a path that may not be entered, which is to be named once and not for all that is in it."""
    return next((folder for folder in reversed(path.parents) if not may(folder, os.X_OK)), None)


def _check_kind(path: Path, found: os.stat_result, limit: int | None) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for test, name in _KINDS if test(found.st_mode)), "something else")
        raise Unreadable(path, f"is {kind}, where a regular file should be")
    if limit is not None and found.st_size > limit:
        raise Unreadable(path, f"is larger than {_size(limit)}")


def _cannot_read(error: OSError | ValueError) -> str:
    if isinstance(error, PermissionError):
        return f"may not be read ({reason_of(error)})"
    return f"cannot be read ({reason_of(error)})"


def _size(limit: int) -> str:
    return f"{limit // MIB:,} MiB" if limit >= MIB else f"{limit:,} bytes"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is beyond all bounds")
    return value


def _bounded(text: str) -> int:
    value = int(text)
    if value.bit_length() > MAX_INTEGER_BITS:
        raise ValueError(f"an integer has more than {MAX_INTEGER_BITS} bits")
    return value


def _check_values(content: Any) -> None:
    """Refuse what is nested too deep, and text that cannot be written again."""
    left: list[tuple[Any, int]] = [(content, 1)]
    while left:
        value, depth = left.pop()
        if isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise RecursionError
            if isinstance(value, dict):
                mapping = cast(dict[str, Any], value)
                left += [(key, depth) for key in mapping]
                left += [(one, depth + 1) for one in mapping.values()]
            else:
                left += [(one, depth + 1) for one in cast(list[Any], value)]
        elif isinstance(value, str) and not is_text(value):
            raise ValueError("holds half a character")
