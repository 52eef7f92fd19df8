"""The process of one tracker: ``python -m harness.tracking.process MESSAGES``.

Messages come in on standard input, and answers go out on the pipe whose number is the argument: see
`harness.tracking.protocol`.
What the tracker prints is thrown away. When the run's process is gone, the tracker is told that the run was interrupted; if it
does not end soon after that, its process and all that it has started are killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from harness.config import TrackerConfig
from harness.config.secrets import without_secret_values
from harness.errors import printable
from harness.registry.error_summary import summarise_error_with_location
from harness.registry.importing import import_object
from harness.tracking.base import RunTracker
from harness.tracking.protocol import Message, decode_run, encode

_ORPHAN_SECONDS = 30.0
_MOST_OF_AN_ERROR = 500


def main(descriptor: int) -> None:
    """Follow a run to its end.

    Args:
        descriptor: File descriptor of the pipe that answers go to.
    """
    os.set_inheritable(descriptor, False)
    answers, environment = os.fdopen(descriptor, "wb", buffering=0), dict(os.environ)
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    _replace_standard_input()
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(source, messages), daemon=True).start()
    try:
        _follow(messages, answers)
    except BaseException as error:  # noqa: BLE001  a stranger's code may raise anything, SystemExit included
        text = printable(without_secret_values(summarise_error_with_location(error), environment), _MOST_OF_AN_ERROR)
        _answer(answers, {"error": text})
    os._exit(0)  # whatever threads the tracker has left


def _replace_standard_input() -> None:
    """Give the tracker a standard input in which nothing comes, so that a question ends at once."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _receive(source: IO[bytes], messages: queue.SimpleQueue[Message]) -> None:
    for line in source:
        messages.put(json.loads(line))
    messages.put({"end": "interrupted"})  # a second one is never read
    time.sleep(_ORPHAN_SECONDS)
    os.killpg(0, signal.SIGKILL)


def _follow(messages: queue.SimpleQueue[Message], answers: IO[bytes]) -> None:
    first = messages.get()
    if "begin" not in first:
        return
    tracker = _make(first)
    _answer(answers, {"done": True, "id": tracker.begin(decode_run(first["begin"]))})
    while True:
        message = messages.get()
        _handle(tracker, message)
        _answer(answers, {"done": True})
        if "end" in message:
            return


def _answer(answers: IO[bytes], answer: Message) -> None:
    with suppress(OSError):  # the run is gone, and the tracker is still to hear of its end
        answers.write(encode(answer))


def _make(first: Message) -> RunTracker:
    config = import_object(first["config"]) if first["config"] else TrackerConfig
    found = import_object(first["tracker"])
    if not (isinstance(found, type) and issubclass(found, RunTracker)):
        raise TypeError(f"{first['tracker']} must be a subclass of harness.tracking.base.RunTracker")
    return found(config.model_validate(first["settings"]))


def _handle(tracker: RunTracker, message: Message) -> None:
    match message:
        case {"log": [step, metrics]}:
            tracker.log(step, metrics)
        case {"evaluation": [step, episodes]}:
            tracker.log_evaluation(step, episodes)
        case {"flush": _}:
            tracker.flush()
        case {"report": folder}:
            tracker.add_report(Path(folder))
        case {"end": ending}:
            tracker.end(ending)
        case _:
            raise ValueError(f"unknown message {sorted(message)}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
