"""Claims on trials: which process works on which trial, and which are abandoned.

A trial is taken, and one that was abandoned is taken over, by one tuner at a time on all machines (`TrialClaims.exclusive`):
it stays the same trial, with its number, its values and its finished runs. An owner that can be seen from here is judged by
its process; another one proves that it is alive, beside files by touching its claim, in a database by Optuna's heartbeat. It
counts as dead when whoever looks has seen no sign of it for long enough by its own time: a database that was away for a while
makes nobody look dead. Whoever lost a trial so does not end it (`TrialClaims.owned`).
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy
from optuna.storages import RDBStorage

from harness.runs.claim_file import owner_from
from harness.runs.claim_watch import ClaimWatch, Stillness
from harness.runs.folder_lock import folder_lock
from harness.runs.lock import Claim, LostClaim, Owner
from harness.tuning.outages import STORAGE_ERRORS

DEFINITION_ATTRIBUTE = "harness"
"""The user attribute of a study that holds its definition; its row is the lock under which trials are claimed."""

OWNER_ATTRIBUTE = "harness:owner"
"""The system attribute of a trial in a database that says who has it."""


class TrialClaims(Protocol):
    """The claims of processes on the trials of a study."""

    def exclusive(self) -> AbstractContextManager[None]:
        """While a block runs, no other process claims a trial of the storage."""
        ...

    def acquire(self, trial_id: int) -> None:
        """Claim a trial for this process; only within `exclusive`."""
        ...

    def owned(self, trial_id: int) -> bool:
        """Whether a trial that this process has claimed is still its own; to end it, asked within `exclusive`."""
        ...

    def release(self, trial_id: int) -> None:
        """Release the claim: a trial that is still running is free for other processes at once; not within `exclusive`."""
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
        self._watches: dict[int, ClaimWatch] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """See `TrialClaims`; the kernel frees the lock when its holder dies."""
        with folder_lock(self._folder / "turn"):
            yield

    def acquire(self, trial_id: int) -> None:
        """See `TrialClaims`."""
        claim = self._claim(trial_id)
        claim.acquire()
        self._mine[trial_id] = claim

    def owned(self, trial_id: int) -> bool:
        """See `TrialClaims`."""
        try:
            self._mine[trial_id].verify()
        except LostClaim:
            return False
        return True

    def release(self, trial_id: int) -> None:
        """See `TrialClaims`."""
        if claim := self._mine.pop(trial_id, None):
            claim.release()

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """See `TrialClaims`."""
        self._watches = {trial_id: self._watches.get(trial_id) or ClaimWatch(self._claim(trial_id)) for trial_id in running}
        return [trial_id for trial_id, watch in self._watches.items() if trial_id not in self._mine and watch.is_free()]

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
        self._mine: dict[int, tuple[Owner, threading.Event]] = {}
        self._silences: dict[int, Stillness] = {}
        self._unreleased: dict[int, Owner] = {}

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
        owner = Owner.this_process()
        self._storage.record_heartbeat(trial_id)
        self._storage.set_trial_system_attr(trial_id, OWNER_ATTRIBUTE, asdict(owner))
        self._unreleased.pop(trial_id, None)
        stop = threading.Event()
        self._mine[trial_id] = owner, stop
        threading.Thread(target=self._beat, args=(trial_id, owner, stop), name="trial-heartbeat", daemon=True).start()

    def owned(self, trial_id: int) -> bool:
        """See `TrialClaims`."""
        return self._owner(trial_id) == self._mine[trial_id][0]

    def release(self, trial_id: int) -> None:
        """See `TrialClaims`."""
        if trial_id in self._mine:
            self._unreleased[trial_id], stop = self._mine.pop(trial_id)
            stop.set()
            # if the server is away, this is done before the next look at what is abandoned
            with suppress(*STORAGE_ERRORS), self.exclusive():
                self._remove_heartbeats()

    def abandoned(self, running: Sequence[int]) -> list[int]:
        """See `TrialClaims`."""
        self._remove_heartbeats()
        heartbeats = sqlalchemy.table("trial_heartbeats", sqlalchemy.column("trial_id"), sqlalchemy.column("heartbeat"))
        query = sqlalchemy.select(heartbeats).where(heartbeats.c.trial_id.in_(running))
        with self._storage.engine.connect() as connection:
            beats: dict[int, Any] = {row[0]: row[1] for row in connection.execute(query)}
        limit = self._storage.grace_period or 0
        others = [trial_id for trial_id in running if trial_id not in self._mine]
        self._silences = {trial_id: self._silences.get(trial_id) or Stillness(limit) for trial_id in others}
        silent = {trial_id for trial_id, silence in self._silences.items() if silence.observe(beats.get(trial_id))}
        return [one for one in others if one not in beats or one in silent or self._is_dead(one)]

    def _is_dead(self, trial_id: int) -> bool:
        owner = self._owner(trial_id)
        return owner is not None and owner.alive is False

    def _owner(self, trial_id: int) -> Owner | None:
        """Whom a trial names; ``None`` if it is of before December 2026."""
        return owner_from(self._storage.get_trial(trial_id).system_attrs.get(OWNER_ATTRIBUTE))

    def _remove_heartbeats(self) -> None:
        """Let go of what was released and nobody has taken since: a trial without a heartbeat is anybody's."""
        mine = [trial_id for trial_id, owner in self._unreleased.items() if self._owner(trial_id) == owner]
        if mine:
            heartbeats = sqlalchemy.table("trial_heartbeats", sqlalchemy.column("trial_id"))
            with self._storage.engine.begin() as connection:
                connection.execute(sqlalchemy.delete(heartbeats).where(heartbeats.c.trial_id.in_(mine)))
        self._unreleased.clear()

    def _beat(self, trial_id: int, owner: Owner, stop: threading.Event) -> None:
        interval = self._storage.get_heartbeat_interval()
        while not stop.wait(interval):
            with suppress(*STORAGE_ERRORS):  # the server may be back before others take this process for dead
                if self._owner(trial_id) != owner:
                    return
                self._storage.record_heartbeat(trial_id)
