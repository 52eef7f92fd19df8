"""Watching a claim that another process holds, until it is free."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.runs.claim_file import UNWRITTEN, is_dead
from harness.runs.lock import Claim, Owner

_LOOK_SECONDS = 10.0
"""The most that counts of the time between two looks: a longer one may say that this process stood still itself."""


class Stillness:
    """How long something has not changed, by the time of a process that looks at it every few seconds.

    Args:
        limit: Seconds after which it counts as still.
        clock: Seconds that pass in this process.
    """

    def __init__(self, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._clock = limit, clock
        self._value: object = None
        self._last_look, self._seconds = clock(), 0.0

    def observe(self, value: object) -> bool:
        """Take in what it is now; whether it has been so for the limit."""
        now = self._clock()
        passed, self._last_look = min(now - self._last_look, _LOOK_SECONDS), now
        if value != self._value:
            self._value, self._seconds = value, 0.0
            return False
        self._seconds += passed
        return self._seconds >= self._limit


class ClaimWatch:
    """Looks at a claim again and again.

    An owner that can be seen from here is judged by its process. Another one is taken for dead when its claim was not touched
    for `Claim.stale_seconds` during which this process has looked at it; its claim is then freed.

    Args:
        claim: The claim of another process.
        clock: Seconds that pass in this process.

    Attributes:
        owner: The owner at the last look; ``None`` if there was none.
    """

    def __init__(self, claim: Claim, clock: Callable[[], float] = time.monotonic) -> None:
        self.owner: Owner | None = None
        self._claim = claim
        self._stillness = Stillness(claim.stale_seconds, clock)

    def is_free(self) -> bool:
        """Whether the claim can be had now; to be called every few seconds.

        Raises:
            harness.runs.guarded.Unreadable: The claim may not be read.
            OSError: The claim of a dead owner cannot be freed.
        """
        self.owner = owner = self._claim.owner
        if owner is None or is_dead(owner):
            return True
        try:
            touched = self._claim.path.stat().st_mtime_ns
        except FileNotFoundError:
            return True
        if owner.alive:
            self._stillness.observe(None)
            return False
        return self._stillness.observe((owner, touched)) and self._claim.free(owner, touched)


class ClaimObserver:
    """Tells who holds a claim, look after look, and changes nothing.

    A holder that cannot be seen from here lives while its claim is touched again and again. The first looks, which cannot know
    of that, judge by the clock, see `Claim.held`.

    Args:
        claim: The claim to look at.
        clock: Seconds that pass in this process.
    """

    def __init__(self, claim: Claim, clock: Callable[[], float] = time.monotonic) -> None:
        self._claim, self._clock = claim, clock
        self._stillness: Stillness | None = None
        self._first: object = None
        self._seen_touched = False

    def holder(self) -> Owner | None:
        """The process that holds the claim and lives, as far as one can tell; ``None`` for nobody.

        Raises:
            harness.runs.guarded.Unreadable: The claim may not be read.
        """
        owner = self._claim.owner
        if owner is None or owner == UNWRITTEN or is_dead(owner):
            self._stillness = None
            return None
        if owner.alive:
            return owner
        try:
            touched = owner, self._claim.path.stat().st_mtime_ns
        except OSError:
            return None
        if self._stillness is None:
            self._stillness, self._first, self._seen_touched = (
                Stillness(self._claim.stale_seconds, self._clock),
                touched,
                False,
            )
        still = self._stillness.observe(touched)
        self._seen_touched |= touched != self._first
        lives = not still and (self._seen_touched or self._claim.held)
        return owner if lives else None
