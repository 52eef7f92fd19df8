"""``prune``: removing what nobody wants any more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from harness.cli.display.console import open_console, print_table
from harness.cli.display.states import print_unreadable
from harness.cli.results import Roots
from harness.errors import UserError, plural

if TYPE_CHECKING:
    from harness.runs.pruning import DeadRun

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def prune(
    roots: Roots,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Remove without asking; what was dropped only with --dropped as well.")
    ] = False,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="With --yes: also remove the runs that no plan asks for any more.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")] = False,
) -> int:
    """Show runs that nobody wants any more, and remove them after asking.

    These are unfinished runs whose settings were abandoned, since 'harness run' was asked for the same method on the same task
    under others; and apart from them, with a question of their own, the runs of methods and tasks that were dropped from the
    suite since, finished ones as well. All other finished runs stay, whatever their settings, and so does every run that a
    process holds. Where there is no terminal to ask on, --yes is needed. The exit code is 1 if something could not be read or
    removed.
    """
    from harness import experiment

    if yes and dry_run:
        raise UserError("--yes removes and --dry-run does not: give one of them")
    if dropped and not yes:
        raise UserError("--dropped goes with --yes; without it both kinds of runs are shown and asked about")
    console = open_console()

    def confirm(found: Sequence[DeadRun]) -> bool:
        _print(console, found, f"{plural(len(found), 'unfinished run')} of abandoned settings")
        return not dry_run and (yes or _ask(console, len(found), "--yes"))

    def confirm_dropped(found: Sequence[DeadRun]) -> bool:
        finished = sum(one.run.state == "finished" for one in found)
        of_them = f", {finished:,} of them finished" if finished else ""
        what = f"{plural(len(found), 'run')} of methods or tasks that were dropped from their suite{of_them}"
        _print(console, found, what)
        if yes and not dropped:
            console.print("left: --dropped removes them as well", soft_wrap=True)
        return not dry_run and (dropped if yes else _ask(console, len(found), "--yes --dropped"))

    done = experiment.prune(roots, confirm, confirm_dropped)
    print_unreadable(console, done.unreadable)
    for line in done.left:
        console.print(Text(f"left: {line}", style="yellow"), soft_wrap=True)
    if not done.found:
        console.print("nothing to remove: no unfinished run of abandoned settings, and none that was dropped from its suite")
    elif not dry_run:
        console.print(f"removed {plural(len(done.removed), 'run')}")
    return 1 if done.unreadable or done.left else 0


def _print(console: Console, found: Sequence[DeadRun], what: str) -> None:
    rows = [
        (one.run.name, one.run.state, f"{one.run.record.status.step:,} of {one.run.spec.steps:,}", _in_bytes(one.size))
        for one in found
    ]
    print_table(console, "", ("folder", "state", "step", "size"), rows, right_aligned=("step", "size"))
    total = _in_bytes(sum(one.size for one in found))
    console.print(f"{what}, {total} in all", soft_wrap=True)


def _ask(console: Console, count: int, options: str) -> bool:
    if not (console.is_terminal and sys.stdin.isatty()):
        raise UserError(f"there is no terminal to ask on, so nothing was removed: {options} removes without asking")
    try:
        answer = console.input(f"remove {'it' if count == 1 else 'them'}? [y/N] ", markup=False)
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("y", "yes")


def _in_bytes(size: float) -> str:
    """A size in the unit that suits it, such as ``1.5 MB``."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 or size >= 100 else f"{size:.1f} {_UNITS[unit]}"
