"""A run's end of the line to a tracker: nothing here waits, but for the end, and nothing that the tracker does is an error.

Messages wait in a queue of bounded length, and only a few are under way at a time. The tracker's process is looked after
whenever there is something to send: one that is silent for too long is killed with everything that it has started.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from harness.tracking.notices import without_tracker
from harness.tracking.protocol import Message, encode

MOST_WAITING = 1000
"""Messages that wait for a slow tracker; further ones are left out."""

_MOST_UNDER_WAY = 32
_LOOK_SECONDS = 0.5
_MOST_OF_AN_ANSWER = 1 << 16


class TrackerLink:
    """The process of a tracker, which is told of a run.

    Args:
        name: Name of the tracker.
        first: The first message; see `harness.tracking.protocol.begin_message`.
        wait_seconds: How long the tracker may be silent, and how long the end may take.
        on_begin: Called with the name by which the tracker knows the run.
        on_notice: Called at most once, with a sentence, when the run goes on without the tracker or messages were left out.
    """

    def __init__(
        self,
        name: str,
        first: Message,
        wait_seconds: float,
        on_begin: Callable[[Any], None],
        on_notice: Callable[[str], None],
    ) -> None:
        self._name, self._wait_seconds = name, wait_seconds
        self._on_begin, self._on_notice = on_begin, on_notice
        self._waiting: deque[bytes] = deque()
        self._unsent = self._unread = b""
        self._under_way = self._left_out = 0
        self._last_heard = self._give_up_at = time.monotonic()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except OSError as error:
            self._give_up(f"its process could not be started ({error.strerror or error})")
        self._put(first)
        if self._process is not None:
            self._go_on()

    def _start(self) -> None:
        self._answers, answers = os.pipe()
        os.set_blocking(self._answers, False)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harness.tracking.process", str(answers)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(answers,),
                start_new_session=True,
            )
        except OSError:
            os.close(self._answers)
            raise
        finally:
            os.close(answers)
        os.set_blocking(self._requests, False)

    @property
    def pid(self) -> int | None:
        """The process, which leads a session of its own; ``None`` if it is gone."""
        return None if self._process is None else self._process.pid

    @property
    def _follows(self) -> bool:
        """Whether the tracker's process is still there to follow the run."""
        return self._process is not None

    @property
    def _requests(self) -> int:
        assert self._process is not None and self._process.stdin is not None
        return self._process.stdin.fileno()

    def send(self, message: Message) -> None:
        """Send a message as soon as there is room for it; if too many are waiting, it is left out."""
        if self._process is not None:
            if len(self._waiting) < MOST_WAITING:
                self._put(message)
            else:
                self._left_out += 1
            self._go_on()

    def announce_end(self, ending: str) -> None:
        """Send the last message, and begin to count the time for everything that is left.

        Args:
            ending: How the attempt at the run ended.
        """
        self._put({"end": ending})
        self._give_up_at = time.monotonic() + self._wait_seconds
        if self._process is not None:
            self._go_on()

    def close(self, on_wait: Callable[[], None] | None = None) -> None:
        """Have everything done that is waiting, as far as the time allows, and end the tracker's process.

        Args:
            on_wait: Called now and then while this takes.
        """
        give_up = self._give_up_at
        while self._process is not None and (self._waiting or self._unsent or self._under_way):
            if time.monotonic() >= give_up:
                self._give_up(f"it was not done {self._wait_seconds:g} seconds after the end of the run")
                return
            self._wait(min(_LOOK_SECONDS, max(give_up - time.monotonic(), 0)))
            self._go_on()
            if on_wait is not None:
                on_wait()
        if self._process is None:
            return
        self.kill()
        if self._left_out:
            self._on_notice(f"tracker {self._name!r} was too slow: {self._left_out} messages were left out")

    def _put(self, message: Message) -> None:
        if self._process is not None:
            self._waiting.append(encode(message))

    def _wait(self, seconds: float) -> None:
        wants_to_write = [self._requests] if self._unsent else []
        with suppress(OSError):
            select.select([self._answers], wants_to_write, [], seconds)

    def _go_on(self) -> None:
        """Take in answers and send what there is room for; neither waits."""
        self._receive()
        if not self._follows:
            return
        if not self._under_way:
            self._last_heard = time.monotonic()
        while self._unsent or (self._waiting and self._under_way < _MOST_UNDER_WAY):
            if not self._unsent:
                self._unsent = self._waiting.popleft()
                self._under_way += 1
            if not self._write():
                break
        if self._follows and time.monotonic() - self._last_heard > self._wait_seconds:
            self._give_up(f"it has been silent for {self._wait_seconds:g} seconds")

    def _write(self) -> bool:
        """Whether the message under way was sent to its end."""
        try:
            self._unsent = self._unsent[os.write(self._requests, self._unsent) :]
        except BlockingIOError:
            return False
        except OSError:  # it has ended; its last words are read first
            self._unsent = b""
            self._receive()
            if self._process is not None:
                self._give_up(self._describe_end())
            return False
        return not self._unsent

    def _receive(self) -> None:
        while self._process is not None:
            try:
                data = os.read(self._answers, _MOST_OF_AN_ANSWER)
            except BlockingIOError:
                return
            if not data:
                if self._under_way or self._waiting:
                    self._give_up(self._describe_end())
                return
            self._last_heard = time.monotonic()
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _take(self, answer: Message) -> None:
        if "error" in answer:
            self._give_up(str(answer["error"]))
            return
        self._under_way -= 1
        if "id" in answer:
            self._on_begin(answer["id"])

    def _describe_end(self) -> str:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            return f"its process ended with exit code {self._process.wait(1.0)}"
        return "its process closed the line"

    def _give_up(self, reason: str) -> None:
        self.kill()
        self._on_notice(without_tracker(self._name, reason))

    def kill(self) -> None:
        """End the process with everything that it has started, whatever it is doing."""
        process, self._process = self._process, None
        self._waiting.clear()
        self._unsent, self._under_way = b"", 0
        if process is None:
            return
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        os.close(self._answers)
