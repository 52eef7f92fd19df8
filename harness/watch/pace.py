"""How often to look: every few seconds, and less often where a look takes long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

MIN_SECONDS, DEFAULT_SECONDS, MAX_SECONDS = 0.2, 3.0, 3600.0
"""Bounds of the time between two looks, and what it is unless the user says otherwise."""

_REST_PER_LOOK = 19.0


class Pace:
    """Says when the next look is due, so that looking takes a twentieth of the time at most.

    Args:
        seconds: The time from one look to the next, where a look takes no time.
        clock: Seconds that pass in this process.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._begun, self._due = clock(), -math.inf

    @property
    def seconds_to_wait(self) -> float:
        """Seconds until the next look is due; 0 when it is."""
        return max(self._due - self._clock(), 0.0)

    def begin(self) -> None:
        """Note that a look begins."""
        self._begun = self._clock()

    def end(self) -> None:
        """Note that it is over."""
        now = self._clock()
        self._due = max(self._begun + self._seconds, now + _REST_PER_LOOK * (now - self._begun))
