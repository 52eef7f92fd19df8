"""Claims as other processes, machines and containers leave them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from harness.runs.lock import Owner


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The present."""
        return self.now


def write_claim(path: Path, owner: Owner, age: float = 0.0) -> None:
    """Leave a claim that was last touched ``age`` seconds ago by the clock of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(owner)))
    touch(path, age)


def touch(path: Path, age: float = 0.0) -> None:
    """Set when the claim was last touched."""
    then = time.time() - age
    os.utime(path, (then, then))


def elsewhere(token: str = "00ff") -> Owner:
    """An owner with this process's number, host name and start, in another PID namespace of the same machine."""
    return replace(Owner.this_process(), token=token, namespace="pid:[1]")


def look_for(watch: Callable[[], bool], clock: Clock, seconds: float, every: float = 1.0) -> bool:
    """Look at a claim every second for some time; whether it became free."""
    for _ in range(round(seconds / every)):
        clock.now += every
        if watch():
            return True
    return False
