"""The messages between a run and the process of its tracker, one JSON object a line.

To the tracker: ``begin``, then ``log``, ``evaluation``, ``flush`` and ``report`` in any order, last ``end``. From it: ``done``
after each of them, with the name of the run after ``begin``, or ``error`` with a sentence, after which it ends.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.tracking.base import TrackedRun

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """A message as a line."""
    return json.dumps(message, default=str).encode() + b"\n"


def begin_message(run: TrackedRun, tracker: str, config: str, settings: Message) -> Message:
    """The first message.

    Args:
        run: The run to follow.
        tracker: Import path of the tracker's class.
        config: Import path of the class of its settings; empty for `harness.config.TrackerConfig`.
        settings: Its settings, as JSON.
    """
    return {"begin": asdict(run), "tracker": tracker, "config": config, "settings": settings}


def decode_run(content: Message) -> TrackedRun:
    """The run of a first message."""
    paths: Message = {name: Path(content[name]) for name in ("folder", "results")}
    return TrackedRun(**{**content, **paths})
