"""Claims on trials: which process works on which trial, and which are abandoned.

A trial is taken, and one that was abandoned is taken over, by one tuner at a time on all machines (`TrialClaims.exclusive`):
it stays the same trial, with its number, its values and its finished runs. An owner proves that it is alive: beside files by a
claim, in a database by Optuna's heartbeat.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from harness.runs.lock import Claim
from harness.tuning.optuna_internals import stale_trials

DEFINITION_ATTRIBUTE = "harness"
"""The user attribute of a study that holds its definition; its row is the lock under which trials are claimed."""


class TrialClaims(Protocol):
    """The claims of processes on the trials of a study."""

    def exclusive(self) -> AbstractContextManager[None]:
        """While a block runs, no other process claims a trial of the storage."""
        ...

    def acquire(self, trial_id: int) -> None:
        """Claim a trial for this process; only within `exclusive`."""
        ...

    def release(self, trial_id: int) -> None:
        """Release the claim: a trial that is still running is free for other processes at once."""
        ...

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """Those of the running trials whose owner is dead; only within `exclusive`."""
        ...


class FileTrialClaims:
    """For a storage that is a file: one claim file per trial in a folder beside it.

    Args:
        folder: Created if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine: dict[int, Claim] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """See `TrialClaims`; the kernel frees the lock when its holder dies."""
        descriptor = os.open(self._folder / "turn", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def acquire(self, trial_id: int) -> None:
        """See `TrialClaims`."""
        claim = self._claim(trial_id)
        claim.acquire()
        self._mine[trial_id] = claim

    def release(self, trial_id: int) -> None:
        """See `TrialClaims`."""
        if claim := self._mine.pop(trial_id, None):
            claim.release()

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """See `TrialClaims`."""
        return [trial_id for trial_id in running if trial_id not in self._mine and not self._claim(trial_id).held]

    def _claim(self, trial_id: int) -> Claim:
        return Claim(self._folder / f"trial-{trial_id}")


class HeartbeatTrialClaims:
    """For a storage on a database server: Optuna's heartbeats, and the row of the study's definition as the lock.

    A running trial without any heartbeat has lost its owner: it is made and its first heartbeat recorded under the same lock.

    Args:
        storage: Optuna's storage, with a heartbeat.
        study_id: Number of the study in that storage.
    """

    def __init__(self, storage: RDBStorage, study_id: int) -> None:
        self._storage, self._study_id = storage, study_id
        self._mine: dict[int, threading.Event] = {}

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """See `TrialClaims`; the server frees the row when the connection of its holder ends."""
        attributes = sqlalchemy.table("study_user_attributes", sqlalchemy.column("study_id"), sqlalchemy.column("key"))
        row = sqlalchemy.select(attributes.c.study_id).where(
            attributes.c.study_id == self._study_id, attributes.c.key == DEFINITION_ATTRIBUTE
        )
        with self._storage.engine.begin() as connection:
            connection.execute(row.with_for_update()).all()
            yield

    def acquire(self, trial_id: int) -> None:
        """See `TrialClaims`."""
        self._storage.record_heartbeat(trial_id)
        self._mine[trial_id] = stop = threading.Event()
        threading.Thread(target=self._beat, args=(trial_id, stop), name="trial-heartbeat", daemon=True).start()

    def release(self, trial_id: int) -> None:
        """See `TrialClaims`."""
        if stop := self._mine.pop(trial_id, None):
            stop.set()
            heartbeats = sqlalchemy.table("trial_heartbeats", sqlalchemy.column("trial_id"))
            with suppress(SQLAlchemyError), self._storage.engine.begin() as connection:
                connection.execute(sqlalchemy.delete(heartbeats).where(heartbeats.c.trial_id == trial_id))

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """See `TrialClaims`."""
        heartbeats = sqlalchemy.table("trial_heartbeats", sqlalchemy.column("trial_id"))
        query = sqlalchemy.select(heartbeats.c.trial_id).where(heartbeats.c.trial_id.in_(running))
        with self._storage.engine.connect() as connection:
            beating = {row[0] for row in connection.execute(query)}
        silent = stale_trials(self._storage, self._study_id) | (set(running) - beating)
        return [trial_id for trial_id in running if trial_id in silent and trial_id not in self._mine]

    def _beat(self, trial_id: int, stop: threading.Event) -> None:
        interval = self._storage.get_heartbeat_interval()
        while not stop.wait(interval):
            with suppress(
                SQLAlchemyError, StorageInternalError
            ):  # the server may be back before other processes consider this one dead
                self._storage.record_heartbeat(trial_id)
