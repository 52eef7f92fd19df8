"""Watching a claim that another process holds, until it is free."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.runs.claim_file import is_dead
from harness.runs.lock import Claim, Owner

_LOOK_SECONDS = 5.0
"""The most that counts of the time between two looks: a longer one says that this process stood still itself."""


class ClaimWatch:
    """Looks at a claim again and again.

    An owner that can be seen from here is judged by its process. Another one is taken for dead when its claim was not touched
    for `Claim.stale_seconds` during which this process has looked at it; its claim is then removed.

    Args:
        claim: The claim.
        clock: Seconds that pass in this process.
    """

    def __init__(self, claim: Claim, clock: Callable[[], float] = time.monotonic) -> None:
        self._claim, self._clock = claim, clock
        self._seen: tuple[Owner, int] | None = None
        self._last_look = clock()
        self._silent = 0.0
        self.owner: Owner | None = None

    def is_free(self) -> bool:
        """Whether the claim can be had now; to be called every few seconds.

        Raises:
            harness.runs.guarded.Unreadable: The claim may not be read.
            OSError: The claim of a dead owner cannot be removed.
        """
        now = self._clock()
        passed, self._last_look = min(now - self._last_look, _LOOK_SECONDS), now
        self.owner = owner = self._claim.owner
        if owner is None or is_dead(owner):
            return True
        if owner.alive:
            self._seen = None
            return False
        try:
            touched = self._claim.path.stat().st_mtime_ns
        except FileNotFoundError:
            return True
        if (owner, touched) != self._seen:
            self._seen, self._silent = (owner, touched), 0.0
            return False
        self._silent += passed
        return self._silent >= self._claim.stale_seconds and self._claim.remove(owner, touched)
