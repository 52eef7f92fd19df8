"""Signals that ask a command to stop: the first one lets every run save, the second one stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from harness.execution.stopping import STOP_SIGNALS, StopRequest


@contextmanager
def stop_on_signals(stop: StopRequest, training: Callable[[], bool]) -> Generator[None]:
    """Turn signals into a request to stop, and where that is not enough, into one `KeyboardInterrupt`.

    Signals that were ignored before, as a closed terminal is under nohup, stay so.

    Args:
        stop: Made on the first signal.
        training: Whether runs are under way that can save; if not, the first signal interrupts at once. So does the second;
            any more are ignored, because everything is being stopped already.
    """
    interrupted = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if training() and not stop.requested:
            stop.request()
        elif not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        defaults = (signal.SIG_DFL, signal.default_int_handler)
        handled = [number for number in STOP_SIGNALS if signal.getsignal(number) in defaults]
        before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
