"""Two hosts on one machine: the second has a host name, a PID namespace and a clock of its own, an hour ahead.

Nobody on one can see whether a process on the other lives; a claim's heartbeats alone can tell. Needs root on Linux.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SILENCE_SECONDS = 6.0
"""After how much silence an owner on another host counts as dead here; two minutes otherwise."""

HOST = """
import os, time
import harness.runs.lock as lock

lock.STALE_SECONDS, lock.HEARTBEAT_SECONDS = SILENCE, SILENCE / 12
real_time, real_utime = time.time, os.utime
time.time = lambda: real_time() + AHEAD

def utime(path, times=None, **options):
    return real_utime(path, (time.time(), time.time()) if times is None and not options else times, **options)

os.utime = utime
"""
"""What makes a process one of a host with this clock: Python runs it, as ``sitecustomize``, before anything else."""


@dataclass
class Member:
    """A process of ``harness``, and the file with what it has printed."""

    host: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def everyone(self) -> list[psutil.Process]:
        """The process and all that it has started."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.process.pid)
            return [process, *process.children(recursive=True)]
        return []

    def signal(self, number: int) -> None:
        """Send a signal to all of them."""
        for one in self.everyone:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(number)

    def kill(self) -> None:
        """End all of them at once, and wait until they are gone."""
        members = self.everyone
        self.signal(signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(members, timeout=20)

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        return self.output.read_text(errors="replace")

    def how_it_ended(self) -> str:
        """Wait for the process; what is wrong with how it ended, or nothing."""
        try:
            code = self.process.wait(timeout=900)
        except subprocess.TimeoutExpired:
            return f"{self.output}: does not end"
        return "" if code == 0 else f"{self.output}: ended with {code}: {self.printed[-300:]}"


class Hosts:
    """Starts processes on one host or the other.

    Args:
        folder: Where the files go that make hosts of processes, and what these print.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._started = folder, 0
        for host in range(2):
            place = folder / f"host{host}"
            place.mkdir()
            code = HOST.replace("AHEAD", str(3600 * host)).replace("SILENCE", str(SILENCE_SECONDS))
            (place / "sitecustomize.py").write_text(code)

    def start(self, host: int, arguments: Sequence[str], variables: dict[str, str] | None = None) -> Member:
        """Start ``harness`` with these arguments.

        Args:
            host: The number of the host: 0 is this machine as it is, but for the limit of silence.
            arguments: What follows ``harness`` on the command line.
            variables: Further environment variables.
        """
        self._started += 1
        output = self._folder / f"process{self._started}.log"
        command = [sys.executable, "-m", "harness", *arguments]
        if host:
            name = ["sh", "-c", 'hostname other; exec "$@"', "sh"]
            command = ["unshare", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child", *name, *command]
        path = os.pathsep.join([str(self._folder / f"host{host}"), os.environ.get("PYTHONPATH", "")])
        with output.open("wb") as file:
            given = {**os.environ, "PYTHONPATH": path, **(variables or {})}
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=given, start_new_session=True)
        return Member(host, process, output)
