"""Where a study is kept: a journal file (the default), SQLite, or a database server by its URL.

Passwords never leave this module and `harness.tuning.storage_url`: whatever is printed or stored elsewhere is
`StorageHandle.label`.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from harness.config.secrets import masked
from harness.errors import StudyError, printable
from harness.runs.guarded import is_folder, look, reason_of, refuse_other_than_file
from harness.tuning.optuna_internals import BaseJournalFileLock
from harness.tuning.storage_url import parse_storage, without_secrets
from harness.tuning.trial_claims import FileTrialClaims, HeartbeatTrialClaims, TrialClaims

HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 60

_ATTEMPTS_TO_OPEN = 5

_MISREAD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError)
"""What foreign lines lead to in Optuna's code, which expects its own."""


@dataclass(frozen=True)
class StorageHandle:
    """An open storage.

    Attributes:
        storage: The storage that Optuna takes.
        trial_claims: Makes the claims on the trials of a study, from its id in the storage.
        label: Where it is, for people: without passwords.
        dashboard_url: What ``optuna-dashboard`` opens, without passwords.
        close: Ends its connections.
    """

    storage: BaseStorage
    trial_claims: Callable[[int], TrialClaims]
    label: str
    dashboard_url: str
    close: Callable[[], None] = lambda: None


def open_storage(url: str | None, default: Path, *, grace_seconds: int = GRACE_SECONDS) -> StorageHandle:
    """Open, and where there is nothing yet create, the storage of studies.

    Args:
        url: As a user gives it; ``None`` for a journal.
        default: The journal's file.
        grace_seconds: Silence after which a worker that uses a database server counts as dead.

    Raises:
        StudyError: It is no storage that there is, or it cannot be reached.
    """
    if url is None:
        return _open_journal(default)
    storage = parse_storage(url)
    if storage.url is None:
        return _open_journal(storage.file or default)
    return _open_server(storage.url, grace_seconds) if storage.kind == "server" else _open_sqlite(storage.url)


# --------------------------------------------------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------------------------------------------------
class JournalLock(BaseJournalFileLock):
    """The lock for appending to a journal; it repairs a torn last line when acquired.

    The kernel frees the lock when its holder dies, so that nobody waits for a dead worker, and a line that one left
    half-written is cut off, so that the next one does not continue it.

    Args:
        journal: The journal file.

    Attributes:
        file: What is locked.
    """

    def __init__(self, journal: Path) -> None:
        self._journal, self.file = journal, journal.with_name(f"{journal.name}.lock")
        self._held: int | None = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._held = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o666)
        with suppress(OSError):  # some network disks have no locks; a line is one append there still
            fcntl.flock(self._held, fcntl.LOCK_EX)
        self._truncate_torn_line()
        return True

    def release(self) -> None:
        """Give it back."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _truncate_torn_line(self) -> None:
        with self._journal.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.seek(0)
                    file.truncate(file.read().rfind(b"\n") + 1)


def _open_journal(file: Path) -> StorageHandle:
    if not file.name or file.is_dir():
        raise StudyError(f"storage {str(file)!r} is a folder: name a file in it, such as {file / 'journal.log'}")
    if file.suffix in {".db", ".sqlite", ".sqlite3"}:
        raise StudyError(f"storage {str(file)!r} looks like SQLite: write sqlite:///{file}")
    lock = JournalLock(file)
    trial_claims = _prepare_file(file, lock.file)
    try:
        _require_whole_end(file)
        storage = JournalStorage(JournalFileBackend(str(file), lock))
    except OSError as error:
        raise StudyError(f"storage {file}: cannot be written ({reason_of(error)})") from None
    except _MISREAD as error:
        raise StudyError(f"storage {file}: not a journal of Optuna ({printable(str(error), 300)})") from None
    return StorageHandle(storage, lambda _: trial_claims, str(file), str(file))


def _require_whole_end(file: Path) -> None:
    """Raise a `ValueError` if the last line is no JSON: Optuna passes over it here, and stumbles once another one follows."""
    last = b""
    with suppress(FileNotFoundError), file.open("rb") as lines:
        for line in lines:
            last = line
    if last.endswith(b"\n"):  # otherwise it is torn, or being written, and the lock sees to it
        json.loads(last)


def _prepare_file(file: Path, *others: Path) -> FileTrialClaims:
    """The claims beside a storage that is a file, whose folder is made; whatever is opened is a regular file."""
    claims = file.with_name(f"{file.name}.owners")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for path in (file, *others):
            refuse_other_than_file(path)
        if look(claims) is not None and not is_folder(claims):
            raise StudyError(f"storage {file}: {claims} is in the way, where a folder should be")
        return FileTrialClaims(claims)
    except OSError as error:
        raise StudyError(f"storage {file}: cannot be written ({reason_of(error)})") from None


def _open_sqlite(url: URL) -> StorageHandle:
    file = Path(url.database or "")
    trial_claims = _prepare_file(file)
    storage = _open_database(url, connect_args={"timeout": 60})
    label = masked(url.render_as_string())
    return StorageHandle(storage, lambda _: trial_claims, label, label, _closing(storage))


# --------------------------------------------------------------------------------------------------------------------
# Servers
# --------------------------------------------------------------------------------------------------------------------
def _open_server(url: URL, grace_seconds: int) -> StorageHandle:
    heartbeat = min(HEARTBEAT_SECONDS, max(grace_seconds // 4, 1))
    storage = _open_database(url, heartbeat_interval=heartbeat, grace_period=grace_seconds, pool_pre_ping=True)
    label = masked(url.render_as_string(hide_password=True))
    dashboard_url = label.replace("+psycopg:", ":")
    return StorageHandle(storage, lambda study: HeartbeatTrialClaims(storage, study), label, dashboard_url, _closing(storage))


def _closing(storage: RDBStorage) -> Callable[[], None]:
    def close() -> None:
        storage.remove_session()
        storage.engine.dispose()

    return close


def _open_database(
    url: URL, *, heartbeat_interval: int | None = None, grace_period: int | None = None, **engine: Any
) -> RDBStorage:
    label = masked(url.render_as_string(hide_password=True))
    text = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")  # braces are Optuna's placeholders
    for attempt in range(_ATTEMPTS_TO_OPEN):
        try:
            with without_experimental_warnings():
                return RDBStorage(text, engine, heartbeat_interval=heartbeat_interval, grace_period=grace_period)
        except (ImportError, SQLAlchemyError, optuna.exceptions.StorageInternalError, ValueError, RuntimeError) as error:
            # several workers that open an empty database at once may each find a table that another has just made
            if attempt + 1 == _ATTEMPTS_TO_OPEN or isinstance(error, ImportError) or not _is_race(error):
                raise StudyError(f"storage {label}: {_reason(error, url)}") from None
            time.sleep(0.2 * (attempt + 1))
    raise AssertionError("unreachable")


def _is_race(error: Exception) -> bool:
    return any(word in str(error).lower() for word in ("already exists", "duplicate key", "unique constraint"))


def _reason(error: Exception, url: URL) -> str:
    if isinstance(error, ImportError):
        return f"the driver of {url.drivername} is not installed: pip install 'exploration-harness[postgres]' for PostgreSQL"
    cause = getattr(error, "orig", None) or error.__cause__ or error
    (line, *_) = [line.strip() for line in str(cause).splitlines() if line.strip()] or [type(cause).__name__]
    return f"cannot be opened ({without_secrets(line, url)})"


@contextmanager
def without_experimental_warnings() -> Generator[None]:
    """Suppress Optuna's warnings about its experimental features."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
