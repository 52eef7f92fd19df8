"""A claim: one file that says which living process owns a folder, on this machine or any that shares the disk.

The file holds the owner's host, process and a random token, and appears complete (it is linked into place). A thread
touches it while the owner lives. It is stale when its owner is a dead process of this host, or has not touched it for
`STALE_SECONDS` on another. A stale claim is taken over by renaming it away: of several that try, one rename succeeds, and
it checks that what it renamed is what it judged. A lock on the folder, which the kernel frees when its holder dies, keeps
the contenders of one machine from interleaving at all.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import secrets
import socket
import stat
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from harness.errors import RunError
from harness.runs.guarded import Unreadable, may, read_json, reason_of

HEARTBEAT_SECONDS = 10.0
STALE_SECONDS = 120.0

_MAX_PID = 1 << 31
_MAX_CLAIM_BYTES = 1 << 16


class AlreadyClaimed(RunError):
    """Another living process owns the folder."""


@dataclass(frozen=True)
class Owner:
    """Who holds a claim.

    Attributes:
        host: Name of its machine.
        pid: Id of its process.
        started: When that process started (seconds since 1970), which tells it from a later process of the same number.
        token: Random; tells two claims of one process apart.
    """

    host: str
    pid: int
    started: float
    token: str

    @classmethod
    def this_process(cls) -> Owner:
        """A new owner: the calling process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time(), secrets.token_hex(8))


_NOBODY = Owner(host="", pid=0, started=0.0, token="")


class Claim:
    """The claim file at ``path``.

    Args:
        path: Path of the claim file; its folder must exist.
        stale_seconds: Silence after which an owner on another host counts as dead.
    """

    def __init__(self, path: Path, stale_seconds: float = STALE_SECONDS) -> None:
        self.path, self.stale_seconds = path, stale_seconds
        self._mine: Owner | None = None
        self._released = threading.Event()

    @property
    def held(self) -> bool:
        """Whether a living process holds the claim.

        Raises:
            harness.runs.guarded.Unreadable: The claim may not be read.
        """
        owner = _read(self.path)
        return owner is not None and not self._stale(owner)

    def check(self) -> None:
        """Refuse what could never be claimed, because it may not be read or is a folder.

        Raises:
            harness.runs.guarded.Unreadable: That is so.
        """
        _read(self.path)

    def acquire(self) -> None:
        """Become the owner.

        Raises:
            AlreadyClaimed: When a living process holds the claim.
        """
        mine = Owner.this_process()
        with _locked(self.path.parent):
            while not self._create(mine):
                owner = _read(self.path)
                if owner is None:
                    continue  # released by another machine between the two looks
                if not self._stale(owner):
                    raise AlreadyClaimed(f"{self.path.parent}: in use by process {owner.pid} on {owner.host}")
                self._remove(owner)
        self._mine = mine
        threading.Thread(target=self._beat, name="claim-heartbeat", daemon=True).start()

    def release(self) -> None:
        """Give the claim back, if it is still ours."""
        self._released.set()
        if self._mine is not None:
            with suppress(FileNotFoundError), _locked(self.path.parent):  # somebody may have deleted the whole folder
                self._remove(self._mine)
            self._mine = None

    def _create(self, owner: Owner) -> bool:
        """Put a complete claim file into place; false when there is one already."""
        draft = self.path.with_name(f".tmp-{self.path.name}.{owner.token}")
        draft.write_text(json.dumps(asdict(owner)))
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        return True

    def _stale(self, owner: Owner) -> bool:
        if not owner.token:
            return True
        if owner.host == socket.gethostname():
            return not _alive(owner)
        try:
            return time.time() - self.path.stat().st_mtime > self.stale_seconds
        except FileNotFoundError:
            return True

    def _remove(self, owner: Owner) -> None:
        """Remove the claim if it is ``owner``'s: rename it away, then look at what was renamed."""
        aside = self.path.with_name(f".tmp-{self.path.name}.removed.{secrets.token_hex(8)}")
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return
        if _read(aside) != owner:  # somebody took it over since we looked: put theirs back
            with suppress(FileExistsError):
                os.link(aside, self.path)
        aside.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._released.wait(HEARTBEAT_SECONDS):
            with suppress(OSError):
                os.utime(self.path)


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks have no locks; the checked rename still holds there
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> Owner | None:
    """The owner that a claim file names; ``None`` when there is no file.

    What can be removed as a claim is, and names nobody, counts as an unknown dead owner: a foreign file, a named pipe, a link
    that leads nowhere.

    Raises:
        Unreadable: It may not be read, or is a folder.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(path, f"may not be looked at ({reason_of(error)})") from None
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable(path, "is a folder, where a claim should be: remove it")
    try:
        content: Any = read_json(path, _MAX_CLAIM_BYTES) if stat.S_ISREG(status.st_mode) else {}
    except Unreadable:
        if not may(path, os.R_OK):
            raise  # it may be a living process's
        content = {}
    if content is None:
        return None
    try:
        owner = Owner(str(content["host"]), int(content["pid"]), float(content["started"]), str(content["token"]))
    except (ValueError, KeyError, TypeError, OverflowError):
        return _NOBODY
    return owner if math.isfinite(owner.started) else _NOBODY  # NaN is not even equal to itself


def _alive(owner: Owner) -> bool:
    if not 0 < owner.pid <= _MAX_PID:  # which to some calls of the system means every process
        return False
    try:
        return abs(psutil.Process(owner.pid).create_time() - owner.started) < 1.0
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # another user's, of which nobody may know more than that it lives
        return True
