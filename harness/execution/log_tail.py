"""The end of what a process prints, however much that is."""

from __future__ import annotations

import array
import fcntl
import os
import termios
import threading

TAIL_BYTES = 64 * 1024
"""What is kept."""

_AT_A_TIME = 1 << 16


class LogTail:
    """Reads a pipe to its end in a thread of its own, so that nobody who writes to it ever waits, and keeps its last bytes.

    Args:
        descriptor: File descriptor of the pipe's end to read; closed by the thread.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._total = self._start = 0
        self._thread = threading.Thread(target=self._read, name="worker-log", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Forget what was written before."""
        with self._lock:
            if self._thread.is_alive():
                unread = array.array("i", [0])
                fcntl.ioctl(self._descriptor, termios.FIONREAD, unread)
                self._start = self._total + unread[0]

    def text(self, timeout: float = 0.0) -> str:
        """The tail of what was written since `begin`.

        Args:
            timeout: Seconds to wait for the end of the pipe; processes that the writer has started may hold it open.
        """
        self._thread.join(timeout)
        with self._lock:
            return bytes(self._kept[max(self._start - self._total + len(self._kept), 0) :]).decode(errors="replace")

    def _read(self) -> None:
        while True:
            data = os.read(self._descriptor, _AT_A_TIME)
            with self._lock:
                if not data:
                    os.close(self._descriptor)
                    return
                self._kept += data
                del self._kept[:-TAIL_BYTES]
                self._total += len(data)
