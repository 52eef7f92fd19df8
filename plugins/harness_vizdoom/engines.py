"""What Doom's engines leave behind when their owner is killed: themselves, their folder and their shared memory.

An engine waits for its owner's next message for ever. Whoever opens the next batch ends those whose owner is gone. The lock of
a folder says whether it is: the system lets go of it when a process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_PREFIX, _LOCK, _INSTANCES = "vizdoom-", "lock", "instances"
_SHARED_MEMORY = Path("/dev/shm")
_PARTS = ("ViZDoomMQCtr", "ViZDoomMQDoom", "ViZDoomSM")
"""What ViZDoom 1.3 calls the two queues and the pictures of an instance, before the instance's name."""


class EngineFolder:
    """A new folder for the engines of one batch, which are this process's children and work there.

    Attributes:
        path: The folder; others take it for left behind once this process has ended.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        hidden = self.path / "new"
        self._lock = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        hidden.rename(self.path / _LOCK)  # nobody sees it before it is held

    def keep_for(self, batch: object) -> None:
        """Delete it when ``batch``, whose engines have begun, is gone."""
        instances = [
            instance for process in _working_in(self.path, psutil.Process().children()) if (instance := _instance(process))
        ]
        (self.path / _INSTANCES).write_text("\n".join(instances))
        weakref.finalize(batch, self.delete)

    def delete(self) -> None:
        """Delete it now."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def end_left_behind() -> None:
    """End engines whose owner is gone, and delete their folders and shared memory; other users' are left alone."""
    for folder in Path(tempfile.gettempdir()).resolve().glob(f"{_PREFIX}*"):
        with suppress(OSError), _without_owner(folder) as left:
            if left:
                _clear(folder)


@contextmanager
def _without_owner(folder: Path) -> Generator[bool]:
    """Whether nobody owns the folder; nobody else clears it within the block."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        if os.fstat(lock).st_uid != os.getuid():
            yield False
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


def _clear(folder: Path) -> None:
    instances = set[str]()
    with suppress(OSError, UnicodeDecodeError):
        instances.update((folder / _INSTANCES).read_text().split())
    for process in list(_working_in(folder, psutil.process_iter())):
        with suppress(psutil.Error):
            instances.add(_instance(process))
            process.kill()
            process.wait(10)
    for name in (part + instance for instance in instances if instance.isalnum() for part in _PARTS):
        with suppress(OSError):
            (_SHARED_MEMORY / name).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _working_in(folder: Path, processes: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    """The processes that work in the folder, which nobody but engines knows."""
    for process in processes:
        with suppress(psutil.Error):
            if process.cwd() == str(folder):
                yield process


def _instance(engine: psutil.Process) -> str:
    """The name of its instance on its command line, or nothing."""
    _, _, rest = " ".join(engine.cmdline()).partition("+viz_instance_id ")
    return rest.partition(" ")[0]
