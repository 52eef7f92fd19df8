"""A lock on a folder, which the kernel frees when its holder dies: a file in it that is locked while something is changed.

The file exists while somebody has use for it. It is removed under its own lock, and whoever gets the lock of a file that is
no longer there looks again. (A folder itself could be locked as well, but network disks keep such locks to one machine.)
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import RunError

_PAUSE_SECONDS = 0.005
_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF}


class LockBusy(RunError):
    """Another process holds the lock of the folder."""


class FolderLock:
    """A lock that is held.

    Attributes:
        real: Whether it keeps anybody out; false on a disk that has no locks.
    """

    def __init__(self, file: Path, descriptor: int, *, real: bool) -> None:
        self.real = real
        self._file, self._descriptor = file, descriptor

    def remove_file(self) -> None:
        """Remove the file: those who wait for it make a new one."""
        with suppress(FileNotFoundError):
            self._file.unlink()

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)


@contextmanager
def folder_lock(file: Path, timeout: float | None = None) -> Generator[FolderLock]:
    """Hold a folder's lock during a block.

    Args:
        file: The file of the lock, in the folder.
        timeout: Seconds to wait for another holder; ``None`` for as long as it takes.

    Raises:
        LockBusy: Another process held it all that time.
        OSError: The file cannot be opened.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    lock: FolderLock | None = None
    while lock is None:
        lock = _try(file, deadline)
    try:
        yield lock
    finally:
        lock.close()


def has_locks(folder: Path) -> bool:
    """Whether files in a folder can be locked.

    Raises:
        OSError: No file can be made there.
    """
    probe = folder / f".tmp-lock-{os.getpid()}"
    try:
        with folder_lock(probe, timeout=0) as lock:
            return lock.real
    finally:
        probe.unlink(missing_ok=True)


def _try(file: Path, deadline: float | None) -> FolderLock | None:
    """The lock of the file, or ``None`` if the file was removed meanwhile."""
    descriptor = _open(file)
    try:
        real = _lock(file, descriptor, deadline)
        if not real or _is_there(file, descriptor):
            lock, descriptor = FolderLock(file, descriptor, real=real), -1
            return lock
        return None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _open(file: Path) -> int:
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except PermissionError:  # another user's, who shares the folder
        return os.open(file, os.O_RDONLY | flags)


def _lock(file: Path, descriptor: int, deadline: float | None) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if deadline is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if deadline is not None and time.monotonic() >= deadline:
                raise LockBusy(
                    f"{file.parent}: another process is changing something there and does not come to an end"
                ) from None
            time.sleep(_PAUSE_SECONDS)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return False
            raise
        else:
            return True


def _is_there(file: Path, descriptor: int) -> bool:
    try:
        found = file.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)
