"""Asking runs to stop: the request, which a signal handler or any thread may make, and how often it is looked at."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager

POLL_SECONDS = 0.25
"""How often whoever waits for runs looks whether they are to stop."""


class StopRequest:
    """A request to stop: every run under way saves at its next update and stops there, and no further one is started.

    It may be made from a signal handler and from any thread: it is one plain attribute, and takes no lock.
    """

    def __init__(self) -> None:
        self._requested = False

    @property
    def requested(self) -> bool:
        """Whether runs are to stop."""
        return self._requested

    def request(self) -> None:
        """Make the request."""
        self._requested = True


STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1})
"""Signals that ask to stop: Ctrl-C, a request to end, a closed terminal, and Slurm's warning before the end of a job."""


@contextmanager
def stop_signals_blocked() -> Generator[None]:
    """Hold back signals that ask to stop; they arrive afterwards. Processes started meanwhile begin with them blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def stop_signals_deferred() -> Generator[None]:
    """Do what `stop_signals_blocked` does, whichever thread a signal reaches: nothing interrupts the block midway."""
    with stop_signals_blocked():
        if threading.current_thread() is not threading.main_thread():  # which alone can be interrupted
            yield
            return
        arrived: list[int] = []
        handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        replaced = {number: handler for number, handler in handlers.items() if handler not in (None, signal.SIG_IGN)}
        for number in replaced:
            signal.signal(number, lambda number, frame: arrived.append(number))
        try:
            yield
        finally:
            for number, handler in replaced.items():
                signal.signal(number, handler)
            for number in arrived:
                signal.raise_signal(number)  # it is blocked until the block has ended
