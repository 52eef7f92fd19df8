"""``status --watch``: the state of runs, look after look until Ctrl-C."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.cli.display.changes import ChangeLines
from harness.cli.display.console import open_console
from harness.cli.display.live import draw
from harness.errors import ResultsError
from harness.experiment import StatusReader, StatusResult
from harness.watch.document import StatusDocument
from harness.watch.pace import Pace
from harness.watch.view import view

_Show = Callable[[StatusResult], None]


def watch_status(reader: StatusReader, seconds: float, *, as_json: bool) -> int:
    """Show the state of runs until the user has seen enough: as a table that redraws itself, as lines, or as JSON.

    Args:
        reader: What reads the runs.
        seconds: Time between two looks.
        as_json: Whether each look is printed as a line of JSON.

    Raises:
        ResultsError: There is no such results directory.
    """
    try:
        with _shown_as_json() if as_json else _shown(reader.roots, seconds) as show:
            _look_on(reader, seconds, show)
    except KeyboardInterrupt:  # the only way to end it, so nothing has gone wrong
        pass
    except BrokenPipeError:  # whoever read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what Python flushes at its end goes nowhere
    return 0


def _look_on(reader: StatusReader, seconds: float, show: _Show) -> NoReturn:
    pace, found = Pace(seconds), None
    while True:
        pace.begin()
        try:
            found = reader.look()
        except ResultsError as error:
            if found is None:  # it was never there
                raise
            found = StatusResult([], [str(error)], None)
        show(found)
        pace.end()
        time.sleep(pace.seconds_to_wait)


@contextmanager
def _shown_as_json() -> Generator[_Show]:
    def show(found: StatusResult) -> None:
        sys.stdout.write(StatusDocument.of(found).as_json() + "\n")
        sys.stdout.flush()

    yield show


@contextmanager
def _shown(roots: list[Path], seconds: float) -> Generator[_Show]:
    console = open_console()
    if not console.is_terminal or console.is_dumb_terminal:
        yield _as_lines(console)
        return
    where = ", ".join(map(str, roots))
    with Live(Text("reading ..."), console=console, auto_refresh=False, transient=False) as live:

        def show(found: StatusResult) -> None:
            live.update(draw(view(found), where, seconds, console.width, console.height), refresh=True)

        yield show


def _as_lines(console: Console) -> _Show:
    changes = ChangeLines()

    def show(found: StatusResult) -> None:
        for line in changes.lines(view(found)):
            console.print(line, soft_wrap=True)
        console.file.flush()

    return show
