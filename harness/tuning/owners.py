"""Who works on which trial, and which trials nobody works on any more.

A trial is taken, and one that was abandoned is taken over, by one tuner at a time on all machines (`Owners.exclusive`): it
stays the same trial, with its number, its values and its finished runs. An owner shows that it lives: beside files by a
claim, in a database by Optuna's heartbeat.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from harness.claims import Claim

DEFINITION = "harness"
"""The user attribute of a study that says what it is about; its row is the lock of those who take trials."""


class Owners(Protocol):
    """Who works on which trial of a study."""

    def exclusive(self) -> AbstractContextManager[None]:
        """While a block runs, nobody else takes a trial of the storage."""
        ...

    def take(self, trial_id: int) -> None:
        """Show from now on that this process works on a trial; only within `exclusive`."""
        ...

    def release(self, trial_id: int) -> None:
        """Stop showing it: a trial that is still running is free for others at once."""
        ...

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """Those of the running trials whose owner is dead; only within `exclusive`."""
        ...


class FileOwners:
    """For a storage that is a file: one claim file per trial in a folder beside it.

    Args:
        folder: Created if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine: dict[int, Claim] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """See `Owners`; the kernel frees the lock when its holder dies."""
        descriptor = os.open(self._folder / "turn", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def take(self, trial_id: int) -> None:
        """See `Owners`."""
        claim = self._claim(trial_id)
        claim.take()
        self._mine[trial_id] = claim

    def release(self, trial_id: int) -> None:
        """See `Owners`."""
        if claim := self._mine.pop(trial_id, None):
            claim.release()

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """See `Owners`."""
        return [trial_id for trial_id in running if trial_id not in self._mine and not self._claim(trial_id).held]

    def _claim(self, trial_id: int) -> Claim:
        return Claim(self._folder / f"trial-{trial_id}")


class HeartbeatOwners:
    """For a storage on a database server: Optuna's heartbeats, and the row of the study's definition as the lock.

    A running trial without any heartbeat has lost its owner: it is made and its first heartbeat recorded under the same lock.

    Args:
        storage: With a heartbeat.
        study_id: In it.
    """

    def __init__(self, storage: RDBStorage, study_id: int) -> None:
        self._storage, self._study_id = storage, study_id
        self._mine: dict[int, threading.Event] = {}

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """See `Owners`; the server frees the row when the connection of its holder ends."""
        attributes = sqlalchemy.table("study_user_attributes", sqlalchemy.column("study_id"), sqlalchemy.column("key"))
        row = sqlalchemy.select(attributes.c.study_id).where(
            attributes.c.study_id == self._study_id, attributes.c.key == DEFINITION
        )
        with self._storage.engine.begin() as connection:
            connection.execute(row.with_for_update()).all()
            yield

    def take(self, trial_id: int) -> None:
        """See `Owners`."""
        self._storage.record_heartbeat(trial_id)
        self._mine[trial_id] = stop = threading.Event()
        threading.Thread(target=self._beat, args=(trial_id, stop), name="trial-heartbeat", daemon=True).start()

    def release(self, trial_id: int) -> None:
        """See `Owners`."""
        if stop := self._mine.pop(trial_id, None):
            stop.set()
            heartbeats = sqlalchemy.table("trial_heartbeats", sqlalchemy.column("trial_id"))
            with suppress(SQLAlchemyError), self._storage.engine.begin() as connection:
                connection.execute(sqlalchemy.delete(heartbeats).where(heartbeats.c.trial_id == trial_id))

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """See `Owners`."""
        heartbeats = sqlalchemy.table("trial_heartbeats", sqlalchemy.column("trial_id"))
        query = sqlalchemy.select(heartbeats.c.trial_id).where(heartbeats.c.trial_id.in_(running))
        with self._storage.engine.connect() as connection:
            beating = {row[0] for row in connection.execute(query)}
        silent = set(self._storage._get_stale_trial_ids(self._study_id)) | (set(running) - beating)
        return [trial_id for trial_id in running if trial_id in silent and trial_id not in self._mine]

    def _beat(self, trial_id: int, stop: threading.Event) -> None:
        interval = self._storage.get_heartbeat_interval()
        while not stop.wait(interval):
            with suppress(SQLAlchemyError, StorageInternalError):  # the server may be back before the others give us up
                self._storage.record_heartbeat(trial_id)
