"""The newest look at results, for everybody who asks: looked again only when somebody asks and the last look is old."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

from harness.errors import ResultsError
from harness.experiment import StatusReader, StatusResult
from harness.watch.pace import Pace


@dataclass(frozen=True)
class Look:
    """What was seen at one moment.

    Attributes:
        number: Number of the look, which tells it from all others.
        time: The time of the look, in local time.
        found: The state of the runs.
    """

    number: int
    time: datetime
    found: StatusResult


class Looks:
    """Looks at results for any number of threads.

    Args:
        reader: What reads the runs.
        seconds: Time between two looks.

    Raises:
        ResultsError: There is no such results directory.
    """

    def __init__(self, reader: StatusReader, seconds: float) -> None:
        self.reader = reader
        self._pace, self._looking = Pace(seconds), threading.Lock()
        self._pace.begin()
        self._newest = Look(1, datetime.now().astimezone(), reader.look())
        self._pace.end()

    def newest(self) -> Look:
        """The newest look; another one is taken if it is due, and never two at a time."""
        if self._pace.seconds_to_wait <= 0 and self._looking.acquire(blocking=False):
            try:
                self._pace.begin()
                self._newest = Look(self._newest.number + 1, datetime.now().astimezone(), self._found())
            finally:
                self._pace.end()
                self._looking.release()
        return self._newest

    def _found(self) -> StatusResult:
        try:
            return self.reader.look()
        except ResultsError as error:  # it was there before, and may come back
            return StatusResult([], [str(error)], None)
