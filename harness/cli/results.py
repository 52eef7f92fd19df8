"""``status`` and ``report``: what runs have left behind."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from harness.cli.display.console import open_console
from harness.cli.display.formatting import duration
from harness.cli.options import AsJson, Profile, load, print_json
from harness.errors import UserError
from harness.watch.pace import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS

if TYPE_CHECKING:
    from harness.analysis.bootstrap import IntervalKind

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


def report(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="RESULTS... or NAME=DIR...",
            help="Results directories, parts of them, or bundles of 'harness pack'; with names, their methods are kept apart.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where to; 'report' in the first directory if not given.", show_default=False)
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Method that the others are compared with.", show_default=False)] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="Which of html, pdf (the page on paper), md, latex (a table for a paper), latex-all (every table), figures"
            " (vector files for a paper), csv, and json (for rliable and marl-eval), separated by commas.",
        ),
    ] = "html,md,csv",
    figure_font: Annotated[
        str, typer.Option(help="With --format figures: family of the paper's font, such as STIXGeneral (Times) or cmr10.")
    ] = "DejaVu Sans",
    published: Annotated[
        bool, typer.Option("--published", help="Lay the published numbers of these tasks beside ours.")
    ] = False,
    published_from: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Published numbers of your own, a CSV file or a folder; repeatable.", show_default=False
        ),
    ] = None,
    intervals: Annotated[
        str, typer.Option(help="expanded: intervals that hold with few seeds; rliable: the plain percentiles of rliable.")
    ] = "expanded",
    watch: Annotated[
        bool, typer.Option("--watch", help="Make the report again as runs change, until all are done or Ctrl-C.")
    ] = False,
    cache: Annotated[
        bool,
        typer.Option("--cache/--no-cache", help="Keep what was read beside the results, for the next report; not with --out."),
    ] = True,
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", metavar="NAME", help="Show this method alone; repeatable.", show_default=False),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", metavar="NAME", help="Show this task alone; repeatable.", show_default=False),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="Call a method something else; repeatable.", show_default=False),
    ] = None,
    order: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[,NAME...]", help="Methods in this order, the others after them; repeatable.", show_default=False
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="With old=DIR new=DIR: say what changed, task by task, with intervals.")
    ] = False,
) -> int:
    """Write the report, a section for each suite: scores with intervals, profiles, comparisons, curves, every run by name.

    A method may be named as the report calls it, such as "ppo · 30k steps", or by the plain name that several share. The exit
    code is 1 if something could not be read: the report is written without it, and names it.
    """
    from harness import experiment
    from harness.analysis.published import packaged_files
    from harness.cli.bundles import bundles_as_folders, refuse_to_watch
    from harness.cli.display.states import print_unreadable
    from harness.cli.report_watch import watch_report
    from harness.cli.selection import parse_folders, parse_selection

    if not formats.strip(" ,"):
        raise UserError("--format names no format: html, pdf, md, latex, latex-all, figures, csv and json are known")
    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    numbers = [*(packaged_files() if published else ()), *(file.absolute() for file in published_from or ())]
    kind = cast("IntervalKind", intervals)  # others are refused by name
    given = parse_folders(folders)
    if watch:
        refuse_to_watch(given)
    write = partial(
        experiment.report,
        baseline=baseline,
        formats=wanted,
        published=numbers,
        intervals=kind,
        cache=cache,
        selection=parse_selection(methods, tasks, rename, order),
        compare=compare,
        figure_font=figure_font,
    )
    if watch:
        return watch_report(partial(write, given, out), [one if isinstance(one, Path) else one.path for one in given])
    with bundles_as_folders(given, out) as (roots, place):
        written = write(roots, place)
    console = open_console()
    print_unreadable(console, written.unreadable)
    console.print(f"report: {written.file}", soft_wrap=True)
    return 1 if written.unreadable else 0
