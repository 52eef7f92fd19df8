"""Outages of a study's database: waited out with growing pauses, up to a limit, and told of."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from harness.errors import RunError

STORAGE_ERRORS = (SQLAlchemyError, StorageInternalError)
"""What the storage raises when something is wrong with it."""

OUTAGE_SECONDS = 600.0
"""For how long an outage is waited out unless somebody says otherwise."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

Result = TypeVar("Result")


class StorageLost(RunError):
    """The storage cannot be reached any more."""


@dataclass(frozen=True)
class StorageAway:
    """The storage cannot be reached; the runs under way go on meanwhile.

    Attributes:
        seconds: Time since the first failure.
        pause: Seconds until the next attempt.
        limit: Seconds after which the search gives up.
    """

    seconds: float
    pause: float
    limit: float


@dataclass(frozen=True)
class StorageBack:
    """The storage can be reached again.

    Attributes:
        seconds: Time for which it was away.
    """

    seconds: float


OutageEvent = StorageAway | StorageBack


class Outages:
    """Repeats what fails because the storage is away.

    Args:
        label: The storage's name for people.
        limit: Seconds for which an outage is waited out; 0 for not at all.
        clock: Seconds that pass.
    """

    def __init__(self, label: str, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._label, self._limit, self._clock = label, limit, clock
        self._on_event: Callable[[OutageEvent], None] = _ignore
        self._pause: Callable[[float], bool] = _sleep

    @contextmanager
    def handled_by(self, on_event: Callable[[OutageEvent], None], pause: Callable[[float], bool]) -> Generator[None]:
        """Tell somebody of outages during a block, and let them use the time.

        Args:
            on_event: Takes what is to be told.
            pause: Lets some seconds pass; false if there is no time for more.
        """
        before = self._on_event, self._pause
        self._on_event, self._pause = on_event, pause
        try:
            yield
        finally:
            self._on_event, self._pause = before

    def wait_out(self, action: Callable[[], Result]) -> Result:
        """What an action returns that may be repeated from its beginning, once the storage is there for it.

        Raises:
            StorageLost: The storage was away for longer than the limit, or there is no time to wait for it.
        """
        began: float | None = None
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                result = action()
            except STORAGE_ERRORS as error:
                now = self._clock()
                began = now if began is None else began
                left = self._limit - (now - began)
                if not is_outage(error) or left <= 0:
                    raise self.lost(error, now - began) from None
                pause = min(pause, left)
                self._on_event(StorageAway(now - began, pause, self._limit))
                if not self._pause(pause):
                    raise self.lost(error, self._clock() - began) from None
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                if began is not None:
                    self._on_event(StorageBack(self._clock() - began))
                return result

    def lost(self, error: Exception, seconds: float = 0.0) -> StorageLost:
        """What is to be raised when the storage failed, after it was waited for.

        Args:
            error: What the storage raised.
            seconds: Time for which it was waited.
        """
        waited = f", and did not come back within {seconds:.0f} seconds" if seconds >= 1 else ""
        remedy = "; --storage-timeout says for how long to wait" if is_outage(error) else ""
        return StorageLost(
            f"storage {self._label} cannot be reached any more ({type(error).__name__}){waited}; every trial that ended is"
            f" kept, and the same command goes on from there{remedy}"
        )


def _ignore(event: OutageEvent) -> None:
    """Nobody listens."""


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


def is_outage(error: BaseException) -> bool:
    """Whether an error says that the database is away, or was for a moment, and nothing else."""
    if isinstance(error, StorageInternalError):
        return error.__cause__ is None or is_outage(error.__cause__)
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
