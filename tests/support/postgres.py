"""A PostgreSQL server of Debian's package, started on loopback in a temporary folder."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = secrets.token_hex(8)


def _binaries() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; Debian does not put it on the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parents[1].name))
    found = [*versions, *([Path(on_path)] if (on_path := shutil.which("initdb")) else [])]
    return found[-1].resolve().parent if found else None


class Server:
    """A server that runs.

    Args:
        url: The URL of its database.
        start: Starts it.
        stop: Stops it at once, as a crash does.
    """

    def __init__(self, url: str, start: Callable[[], object], stop: Callable[[], object]) -> None:
        self.url, self.start, self.stop = url, start, stop


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database; skips the test where there is no server to start."""
    with running_server() as running:
        yield running.url


@contextmanager
def running_server() -> Iterator[Server]:
    """A server with an empty database; skips the test where there is none to start."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed: apt-get install postgresql")
    user = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))  # short: a socket's path has at most 107 bytes
    try:
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        if user:
            shutil.chown(folder, "nobody")
            shutil.chown(secret, "nobody")
        data = folder / "data"
        options = [
            "--auth=scram-sha-256",
            "--username=tester",
            f"--pwfile={secret}",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
        ]
        subprocess.run([binaries / "initdb", "-D", data, *options], check=True, capture_output=True, cwd=folder, **user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        control = [binaries / "pg_ctl", "-D", data, "-w", "-t", "60"]
        start = [*control, "-l", folder / "log", "-o", settings, "start"]

        def call(*command: object) -> None:
            subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)

        call(*start)
        url = f"postgresql://tester:{PASSWORD}@127.0.0.1:{port}/postgres"
        try:
            yield Server(url, lambda: call(*start), lambda: call(*control, "-m", "immediate", "stop"))
        finally:
            call(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
