"""The server: on loopback alone, until it is interrupted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from harness.errors import UserError
from harness.experiment import StatusReader
from harness.runs.guarded import reason_of
from harness.watch.application import Application
from harness.watch.looks import Looks
from harness.watch.page import Pages
from harness.watch.report import GrowingReport

HOST = "127.0.0.1"

_MOST_CONNECTIONS = 64
_GOODBYE_SECONDS = 2


def serve(reader: StatusReader, port: int, seconds: float, announce: Callable[[str], None]) -> None:
    """Serve results until Ctrl-C, which is raised once everything has ended.

    Args:
        reader: What reads the runs.
        port: The port to listen on; 0 for any free one.
        seconds: Time between two looks.
        announce: Takes the address, once it answers.

    Raises:
        UserError: There is no such results directory, or the port cannot be used.
        KeyboardInterrupt: The user has seen enough.
    """
    looks = Looks(reader, seconds)
    with open_listener(port) as listener:
        report = GrowingReport(reader.roots)
        try:
            application = Application(looks, report, Pages(title_of(reader.roots), seconds)).asgi()
            announce(f"http://{HOST}:{listener.getsockname()[1]}/")
            uvicorn.Server(configuration(application)).run(sockets=[listener])
        finally:
            report.close()


def title_of(roots: list[Path]) -> str:
    """What results are called: the last two names of each folder."""
    return ", ".join("/".join(root.resolve().parts[-2:]).lstrip("/") or "/" for root in roots)


def configuration(application: Callable[..., object]) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )


def open_listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UserError(
            f"port {port} cannot be used ({reason_of(error)}): choose another one, or any free one by --port 0"
        ) from None
    return listener
