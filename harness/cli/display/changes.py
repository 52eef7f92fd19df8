"""The state of runs, look after look, as lines about what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime

from harness.cli.display import formatting
from harness.cli.display.live import summary
from harness.cli.display.throttle import ProgressThrottle
from harness.watch.view import RunLine, StatusView


class ChangeLines:
    """Finds the lines that are new since the last look: changes of state, and progress now and then.

    Args:
        clock: Seconds that pass in this process.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._throttle = ProgressThrottle(clock)
        self._before: dict[str, tuple[str, str]] = {}
        self._said: set[str] = set()

    def lines(self, found: StatusView) -> Iterator[str]:
        """What has changed, a line each; at the first look whatever is at work, failed or was interrupted."""
        now, first = f"{datetime.now():%H:%M:%S}  ", not self._said
        news = [*self._runs(found, first=first), *self._remarks(found)]
        counts = summary(found)
        if news or counts not in self._said:
            self._said = {text for text in self._said if text.startswith(_REMARKS)} | {counts}
            news.append(counts)
        yield from (now + line for line in news)

    def _runs(self, found: StatusView, *, first: bool) -> Iterator[str]:
        for line in (*found.active, *found.failed, *found.waiting, *found.finished):
            state = line.activity, line.holder
            if state != self._before.get(line.name):
                self._before[line.name] = state
                self._throttle.due(line.name, line.share)
                if line.activity != "missing" and not (first and line.activity == "finished"):
                    yield in_words(line)
            elif line.activity == "running" and self._throttle.due(line.name, line.share):
                yield in_words(line)

    def _remarks(self, found: StatusView) -> Iterator[str]:
        """What must be known, once."""
        for prefix, texts in zip(_REMARKS, (found.notices, found.unreadable), strict=True):
            for text in texts:
                if (line := prefix + text) not in self._said:
                    self._said.add(line)
                    yield line


_REMARKS = ("note: ", "skipped: ")


def in_words(line: RunLine) -> str:
    """A run in one line."""
    parts = [f"{line.activity:<11}", line.name]
    if line.activity != "finished":
        parts.append(f"{line.share:.0%}, {formatting.count(line.step)} of {formatting.count(line.steps)} steps")
    parts += [f"{formatting.speed(line.steps_per_second)} steps/s"] if line.steps_per_second else []
    parts += [f"{formatting.duration(line.seconds_left)} left"] if line.seconds_left is not None else []
    parts += [f"score {formatting.score(line.score)}"] if line.score is not None else []
    parts += [f"since {formatting.moment(line.since)}"] if line.activity == "running" and line.since else []
    parts += [f"held by {line.holder}"] if line.holder else []
    parts += [line.job] if line.job else []
    parts += [line.error] if line.error else []
    return "  ".join(parts)
