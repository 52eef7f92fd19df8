"""Who owns something: one process of one boot of one machine, as seen from one PID namespace.

Whether an owner lives is known exactly where its process can be seen: in the same boot and the same namespaces, by its
number and the tick at which it started. Elsewhere a name of a host and a time of day prove nothing, and neither is looked at.
"""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

_PROC = Path("/proc")
_MAX_PID = 1 << 31
_DEAD_STATES = (b"Z", b"X", b"x")  # a zombie only waits for its parent to ask how it ended, in a container often for ever
_CREATION_TOLERANCE_SECONDS = 10.0


@dataclass(frozen=True)
class Place:
    """Where numbers of processes mean the same.

    Attributes:
        boot: Id of this boot of the machine's kernel; empty on systems that have none.
        namespace: The PID namespace, and the time namespace that start ticks are counted in.
    """

    boot: str
    namespace: str

    @classmethod
    def here(cls) -> Place:
        """The place of this process."""
        return _place(os.getpid())


@dataclass(frozen=True)
class Owner:
    """A process that owns something.

    Attributes:
        host: Name of its machine, for people.
        pid: Id of its process; 0 for one that only said that nobody living owns it any more.
        started: When that process started (seconds since 1970), for systems without ticks.
        token: Random; tells two claims of one process apart.
        boot: Boot of its machine; empty where the system tells none, and in claims of before December 2026.
        namespace: Its PID namespace.
        ticks: When its process started, in ticks since the boot, which no clock that is set can change.
    """

    host: str
    pid: int
    started: float
    token: str
    boot: str = ""
    namespace: str = ""
    ticks: int = 0

    @classmethod
    def this_process(cls) -> Owner:
        """A new owner: the calling process."""
        place, pid = Place.here(), os.getpid()
        found = _stat(pid) if place.boot else None
        ticks = found[1] if found else 0
        started = psutil.Process().create_time()
        return cls(socket.gethostname(), pid, started, secrets.token_hex(8), place.boot, place.namespace, ticks)

    @property
    def alive(self) -> bool | None:
        """Whether its process lives; ``None`` where this cannot be seen, as on another machine or in another container."""
        if not 0 < self.pid < _MAX_PID:  # others mean every process to some calls of the system
            return False
        here = Place.here()
        if self.boot and (self.boot, self.namespace) == (here.boot, here.namespace):
            return _lives(self.pid, self.ticks)
        if not self.boot and self.host == socket.gethostname():
            return _lives_since(self.pid, self.started)
        return None

    def __str__(self) -> str:
        if not self.host:
            return "a process that has not said who it is"
        return f"process {self.pid} on {self.host}" if self.pid else f"a process on {self.host}"


@lru_cache(maxsize=1)
def _place(pid: int) -> Place:  # by number, for a forked process may not believe what its parent knew of itself
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        names = [str((_PROC / "self/ns/pid").readlink())]
        seen_as = str((_PROC / "self").readlink())
    except OSError:  # no Linux
        return Place("", "")
    if seen_as != str(pid):  # /proc is that of another namespace, so nobody can be looked up there
        return Place(boot, f"unknown-{secrets.token_hex(8)}")
    with suppress(OSError):  # kernels of before 2020 have none
        names.append(str((_PROC / "self/ns/time").readlink()))
    return Place(boot, " ".join(names))


def _lives(pid: int, ticks: int) -> bool | None:
    found = _stat(pid)
    if found is not None:
        state, started = found
        return started == ticks and state not in _DEAD_STATES
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's, which a /proc mounted with hidepid does not show
        return None
    return None  # it appeared since, or is hidden: look again later


def _stat(pid: int) -> tuple[bytes, int] | None:
    """State and start tick of a process; ``None`` if it cannot be seen."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()  # its name, in parentheses, may hold anything
    return fields[0], int(fields[19])


def _lives_since(pid: int, started: float) -> bool:
    """By the time at which a process of this number was created, where nothing better is known."""
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return False
        return abs(process.create_time() - started) < _CREATION_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # another user's, of which nobody may know more than that it lives
        return True
