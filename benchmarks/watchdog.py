"""Trying one case of many: what it raised, how long it took, and an end to what never ends or fills the memory."""

from __future__ import annotations

import argparse
import json
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from harness.errors import HarnessError

SECONDS = 5.0
"""Processor time of a case, which does not depend on what else a machine is doing."""

BLOCKED_SECONDS = 20.0
"""Time of the clock, for what waits and computes nothing."""


MEMORY_BYTES = 6 << 30
"""Address space of the whole driver: whoever wants more gets a `MemoryError`, and the machine goes on."""


class TooSlow(BaseException):
    """The time of a case is up; no handler of ordinary exceptions stops it."""


@dataclass
class Figures:
    """What came of all cases so far.

    Attributes:
        outcomes: Number of cases by how they ended.
        slowest: The most processor time that a case took, in seconds.
        seconds: Processor time of all together, in seconds.
        failures: One line for each that failed.
    """

    outcomes: Counter[str] = field(default_factory=Counter[str])
    slowest: float = 0.0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list[str])

    def fail(self, what: str) -> None:
        """Count a failure, and say at once what it is."""
        self.failures.append(what)
        print(what, file=sys.stderr, flush=True)

    def summary(self) -> dict[str, Any]:
        """The figures as JSON."""
        counts = {"cases": sum(self.outcomes.values()), **self.outcomes, "failures": len(self.failures)}
        return {**counts, "slowest_seconds": round(self.slowest, 2), "seconds": round(self.seconds, 1)}


def watched(attempt: Callable[[], object], figures: Figures) -> str:
    """Make an attempt, for no more than `SECONDS` or `BLOCKED_SECONDS`, and count how it ended.

    Returns:
        What was wrong; nothing where it succeeded or was refused by one of `harness.errors`.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    limits = {signal.SIGPROF: (signal.ITIMER_PROF, SECONDS), signal.SIGALRM: (signal.ITIMER_REAL, BLOCKED_SECONDS)}
    previous = {number: signal.signal(number, stop) for number in limits}
    began = time.process_time()
    for timer, seconds in limits.values():
        signal.setitimer(timer, seconds)
    outcome, problem = "accepted", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            attempt()
    except HarnessError as error:
        outcome = "refused"
        problem = _bad_message(str(error))
    except TooSlow as error:
        outcome, problem = "hung", f"it took too long {_where(error)}"
    except BaseException as error:  # noqa: BLE001  whatever it is, it is a failure to be reported
        outcome, problem = "broke", f"{type(error).__name__}: {str(error)[:300]!r} {_where(error)}"
    finally:
        for timer, _ in limits.values():
            signal.setitimer(timer, 0)
        for number, handler in previous.items():
            signal.signal(number, handler)
    took = time.process_time() - began
    figures.outcomes[outcome] += 1
    figures.slowest = max(figures.slowest, took)
    figures.seconds += took
    return problem


def _bad_message(message: str) -> str:
    """What is wrong with a message for people."""
    if not message.strip() or "Traceback" in message:
        return f"a message that says nothing: {message[:200]!r}"
    if len(longest := max(message.splitlines(), key=len)) > 5_000:
        return f"a message with a line of {len(longest):,} characters: {longest[:200]!r}"
    return ""


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return "in " + " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames[-12:]))


def run_driver(fuzz: Callable[[range, int, Path], Figures], description: str | None, count: int, what: str) -> int:
    """Fuzz as the command line says, print the figures as JSON, and return the exit code.

    Args:
        fuzz: Tries cases of a seed by their numbers, and keeps those that fail in a folder.
        description: The driver's docstring, whose first line its help shows.
        count: The number of cases unless another is given.
        what: What is kept, in a word.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default 0)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help=f"folder for {what} that fail")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))
    figures = fuzz(range(arguments.first, arguments.first + arguments.count), arguments.seed, arguments.keep)
    print(json.dumps(figures.summary()))
    return 1 if figures.failures else 0
