"""A claim: one file that says which living process owns a folder, on this machine or any that shares the disk.

Whether an owner on this machine lives, the kernel knows (`harness.runs.owner`). One that cannot be seen from here, on another
machine or in another container, shows that it lives by touching its claim, and only who has seen no touch for `STALE_SECONDS`
of its own time may remove the claim (`harness.runs.claim_watch`); no clock of another machine is believed. An owner may so
lose its claim while it is stopped, as on a laptop that sleeps: therefore it writes only in `Claim.publishing`, which asks for
the token in the claim, under the folder's lock, and raises `LostClaim` where it is another's by now.

What cannot be closed: on a disk without locks, or whose server has given a lock of a frozen machine to another one, a process
that is stopped between that look and the write behind it does write, once, when it wakes. `harness.runs.disks` says which
disks are safe. TensorBoard's events are not asked for: each attempt has a file of its own, to which its writer may add what
it still had in hand, and which the file of the next attempt hides.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import ResultsError
from harness.runs import claim_file
from harness.runs.claim_file import UNWRITTEN, AlreadyClaimed, is_dead, read_owner
from harness.runs.folder_lock import FolderLock, LockBusy, folder_lock
from harness.runs.owner import Owner

__all__ = ["HEARTBEAT_SECONDS", "STALE_SECONDS", "AlreadyClaimed", "Claim", "LostClaim", "Owner"]

HEARTBEAT_SECONDS = 10.0
STALE_SECONDS = 120.0

_LOCK_SECONDS = 30.0


class LostClaim(AlreadyClaimed):
    """This process stood still for so long that another one took the folder over."""


class Claim:
    """The claim file at ``path``.

    Args:
        path: Path of the claim file; its folder must exist.
        stale_seconds: Silence after which an owner that cannot be seen from here counts as dead.
    """

    def __init__(self, path: Path, stale_seconds: float | None = None) -> None:
        self.path = path
        self.stale_seconds = STALE_SECONDS if stale_seconds is None else stale_seconds
        self.lock_file = path.with_name(f"{path.name}.lock")
        self._mine: Owner | None = None
        self._released = threading.Event()
        self._publishing = threading.RLock()
        self._depth = 0

    @property
    def owner(self) -> Owner | None:
        """Whom the claim names; ``None`` if there is none.

        Raises:
            harness.runs.guarded.Unreadable: The claim may not be read.
        """
        return read_owner(self.path)

    @property
    def held(self) -> bool:
        """Whether a living process holds the claim, as far as one look can tell.

        An owner that cannot be seen from here counts as alive if the claim was touched not long ago by the clock of this
        machine. That is good enough to be shown and no reason to take anything from anybody.

        Raises:
            harness.runs.guarded.Unreadable: The claim may not be read.
        """
        owner = self.owner
        if owner is None or owner == UNWRITTEN or is_dead(owner):
            return False
        try:
            return owner.alive is True or time.time() - self.path.stat().st_mtime <= self.stale_seconds
        except FileNotFoundError:
            return False

    def check(self) -> None:
        """Refuse what could never be claimed, because it may not be read or is a folder.

        Raises:
            harness.runs.guarded.Unreadable: That is so.
        """
        read_owner(self.path)

    def acquire(self) -> None:
        """Become the owner.

        Raises:
            AlreadyClaimed: A process holds the claim that lives, or of which nobody here can tell.
            OSError: The folder cannot be written.
        """
        mine = Owner.this_process()
        with self._locked() as lock:
            claim_file.take(self.path, mine, alone=lock.real)
            claim_file.sweep_drafts(self.path, alone=lock.real)
        self._mine = mine
        threading.Thread(target=self._beat, args=(mine,), name="claim-heartbeat", daemon=True).start()

    def release(self) -> None:
        """Give the claim back, if it is still ours."""
        self._released.set()
        mine, self._mine = self._mine, None
        if mine is None:
            return
        # What cannot be removed now, the death of this process will free.
        with suppress(OSError, ResultsError, AlreadyClaimed, LockBusy), folder_lock(self.lock_file, _LOCK_SECONDS) as lock:
            if claim_file.end(self.path, mine, alone=lock.real) or self.owner is None:
                lock.remove_file()

    def free(self, owner: Owner, touched: int) -> bool:
        """Free the claim of an owner that has been silent for too long, for whoever claims it next.

        The file stays, in the name of nobody who lives, so that the silent owner learns of its loss if it wakes before
        anybody has claimed the folder.

        Args:
            owner: Whose claim it must still be.
            touched: When the claim was last touched, as seen all the time (nanoseconds since 1970 by whatever clock).

        Returns:
            Whether it is free.

        Raises:
            OSError: The folder cannot be written.
        """
        with suppress(AlreadyClaimed, FileNotFoundError), self._locked() as lock:
            if self.path.stat().st_mtime_ns == touched:
                return claim_file.leave_to_anybody(self.path, owner, Owner.this_process(), alone=lock.real)
        return False

    @contextmanager
    def publishing(self) -> Generator[None]:
        """Change something in the folder during a block: the claim is ours, and nobody can take it meanwhile.

        Raises:
            LostClaim: Another process has taken the folder over; nothing was changed.
        """
        with self._publishing:
            if self._depth:  # part of a larger change
                yield
                return
            with folder_lock(self.lock_file) as lock:
                self._verify(lock)
                self._depth = 1
                try:
                    yield
                finally:
                    self._depth = 0

    def verify(self) -> None:
        """Make sure that the claim is still ours.

        Raises:
            LostClaim: Another process has taken the folder over.
        """
        self._verify(None)

    @property
    def loss(self) -> LostClaim | None:
        """The loss of the claim, if another process has taken the folder over, as far as it can be looked at."""
        try:
            self.verify()
        except LostClaim as lost:
            return lost
        except (OSError, ResultsError):
            pass
        return None

    def _verify(self, lock: FolderLock | None) -> None:
        if self._mine is not None and self._names(self._mine):
            return
        owner = self.owner
        if owner is None and lock is not None:
            lock.remove_file()
        by = f"by {owner}" if owner is not None else "by another process, which has left it since,"
        raise LostClaim(f"{self.path.parent}: this run was taken over {by} while this process stood still", owner)

    def _names(self, mine: Owner) -> bool:
        """Whether the claim holds our token, with as little work as that takes: it is asked at every update of a run."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return mine.token.encode() in os.read(descriptor, claim_file.MAX_CLAIM_BYTES)
        except OSError:
            return False
        finally:
            os.close(descriptor)

    @contextmanager
    def _locked(self) -> Generator[FolderLock]:
        try:
            with folder_lock(self.lock_file, _LOCK_SECONDS) as lock:
                yield lock
        except LockBusy as error:
            raise AlreadyClaimed(str(error), self.owner) from None

    def _beat(self, mine: Owner) -> None:
        """Touch the claim while it is ours, through an open file, so that no other's is ever touched."""
        while not self._released.wait(HEARTBEAT_SECONDS):
            with suppress(OSError), self.path.open("rb") as file:
                if mine.token.encode() in file.read(claim_file.MAX_CLAIM_BYTES):
                    os.utime(file.fileno())
