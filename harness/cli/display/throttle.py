"""Which of many reports of progress are worth a line."""

from __future__ import annotations

import time
from collections.abc import Callable

_MIN_GAIN, _MIN_SECONDS = 0.1, 5.0
_SLOW_GAIN, _SLOW_SECONDS = 0.01, 30.0


class ProgressThrottle:
    """Lets every 10 % of progress through or, where that is rare, every 30 seconds.

    Args:
        clock: Seconds that pass in this process.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, tuple[float, float]] = {}

    def due(self, key: str, share: float) -> bool:
        """Whether this progress is worth a line; the first never is, for others count from it.

        Args:
            key: Name of what progresses.
            share: The part of it that is done, from 0 to 1.
        """
        now = self._clock()
        then, reported = self._last.setdefault(key, (now, share))
        gained, waited = share - reported, now - then
        due = (gained >= _MIN_GAIN and waited >= _MIN_SECONDS) or (gained >= _SLOW_GAIN and waited >= _SLOW_SECONDS)
        if due:
            self._last[key] = (now, share)
        return due
