"""``watch``: results as they grow, in a browser."""

from __future__ import annotations

import signal
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.display.console import open_console
from harness.cli.options import Profile
from harness.cli.results import Roots, SuiteToCompare
from harness.errors import UserError
from harness.watch.pace import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS

DEFAULT_PORT = 8642


def watch(
    roots: Roots,
    suite: SuiteToCompare = None,
    profile: Profile = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = DEFAULT_PORT,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=MIN_SECONDS, max=MAX_SECONDS, help="Time between two looks.")
    ] = DEFAULT_SECONDS,
) -> int:
    """Show the same as 'status --watch', and the growing report, in a browser on this machine.

    It listens on 127.0.0.1 alone, answers questions and changes nothing. Ctrl-C ends it.
    """
    from harness import experiment
    from harness.cli.options import load

    try:
        from harness.watch.server import serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise UserError(f"'harness watch' needs {error.name}; pip install 'exploration-harness[watch]'") from None

    console = open_console()

    def announce(address: str) -> None:
        console.print(
            Text(f"watching {', '.join(map(str, roots))} at {address} (Ctrl-C ends this and no run)"), soft_wrap=True
        )
        console.file.flush()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that nothing is left behind
    try:
        serve(experiment.StatusReader(roots, load(suite, profile) if suite else None), port, every, announce)
    except KeyboardInterrupt:  # the only way to end it, so nothing has gone wrong
        return 0
    return 0
