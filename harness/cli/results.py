"""``status``: how the runs in results directories stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.display.console import open_console
from harness.cli.display.formatting import duration
from harness.cli.options import AsJson, Profile, load, print_json
from harness.errors import UserError
from harness.watch.pace import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS

Roots = Annotated[
    list[Path],
    typer.Argument(metavar="RESULTS...", help="Results directories, or parts of them.", show_default=False, readable=False),
]
SuiteToCompare = Annotated[
    str | None,
    typer.Option("--suite", help="Compare with this suite, a name or a file, so that missing runs show.", show_default=False),
]


def status(
    roots: Roots,
    suite: SuiteToCompare = None,
    profile: Profile = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=MIN_SECONDS,
            max=MAX_SECONDS,
            help="With --watch: time between two looks; 3 if not given.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show what is finished, running, interrupted, failed or missing, with speed and time left.

    With --watch a terminal shows who has which run and how far it is, everything else gets a line for each change; with --json
    as well, a line of JSON for each look. The exit code is 1 if something could not be read: then there may be more than is
    shown.
    """
    from harness import experiment
    from harness.cli.display.states import (
        counts,
        print_failures,
        print_jobs,
        print_notices,
        print_run_groups,
        print_unreadable,
    )
    from harness.cli.live import watch_status
    from harness.watch.document import StatusDocument

    if every is not None and not watch:
        raise UserError("--every goes with --watch")
    plan = load(suite, profile) if suite else None
    if watch:
        return watch_status(experiment.StatusReader(roots, plan), every or DEFAULT_SECONDS, as_json=as_json)
    found = experiment.status(roots, plan)
    summaries, left = found.runs, found.seconds_left
    if as_json:
        print_json(StatusDocument.of(found).model_dump(mode="json"))
        return 1 if found.skipped else 0
    console = open_console()
    print_run_groups(console, summaries)
    print_failures(console, summaries)
    print_jobs(console, found.jobs)
    print_notices(console, found.notices)
    print_unreadable(console, found.skipped)
    console.print(counts(summaries, found.skipped) + (f"; about {duration(left)} left" if left else ""))
    return 1 if found.skipped else 0
