"""What happens on a node: its own module, which Ray's workers import by name."""

from __future__ import annotations

import json
import signal
from types import FrameType

from harness import __version__
from harness.execution.assignment import Assignment, train_assigned
from harness.execution.stopping import StopRequest


def train_one(content: str) -> str:
    """Train the one run of an assignment. Cancelling the task has it save and stop, cancelling it again stops it at once.

    Args:
        content: A `harness.execution.assignment.Assignment` as JSON.

    Returns:
        How it ended, as JSON; everything else is in its folder.
    """
    stop = StopRequest()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.request()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        (outcome,) = train_assigned(Assignment.model_validate_json(content), stop)
    finally:
        signal.signal(signal.SIGINT, before)
    return json.dumps({"ending": outcome.ending, "error": outcome.error})


def version() -> str:
    """The version of the harness that this node has."""
    return __version__
