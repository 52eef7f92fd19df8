"""``report``: what the runs and studies in results directories come to."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.cli import report_options as options
from harness.cli.display.console import open_console
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.analysis.bootstrap import IntervalKind


def report(
    folders: options.Folders,
    out: options.Out = None,
    baseline: options.Baseline = None,
    formats: options.Formats = "html,md,csv",
    figure_font: options.FigureFont = "DejaVu Sans",
    published: options.Published = False,
    published_from: options.PublishedFrom = None,
    intervals: options.Intervals = "expanded",
    each_seed: options.EachSeed = False,
    watch: options.Watch = False,
    cache: options.Cache = True,
    methods: options.OnlyMethods = None,
    tasks: options.OnlyTasks = None,
    rename: options.Rename = None,
    order: options.Order = None,
    compare: options.Compare = False,
) -> int:
    """Write the report, a section for each suite: scores with intervals, profiles, comparisons, curves, every run by name.

    A method may be named as the report calls it, such as "ppo · 30k steps", or by the plain name that several share. The exit
    code is 1 if something could not be read: the report is written without it, and names it.
    """
    from harness import experiment
    from harness.cli.bundles import bundles_as_folders, refuse_to_watch
    from harness.cli.display.states import print_unreadable
    from harness.cli.report_watch import watch_report
    from harness.cli.selection import parse_folders, parse_selection

    given = parse_folders(folders)
    places = [one if isinstance(one, Path) else one.path for one in given]
    if watch:
        refuse_to_watch(given)
    write = partial(
        experiment.report,
        baseline=baseline,
        formats=_parse_formats(formats),
        published=_published_files(published_from, places, packaged=published),
        intervals=cast("IntervalKind", intervals),  # others are refused by name
        each_seed=each_seed,
        cache=cache,
        selection=parse_selection(methods, tasks, rename, order),
        compare=compare,
        figure_font=figure_font,
    )
    if watch:
        return watch_report(partial(write, given, out), places)
    with bundles_as_folders(given, out) as (roots, place):
        written = write(roots, place)
    console = open_console()
    print_unreadable(console, written.unreadable)
    console.print(f"report: {written.file}", soft_wrap=True)
    return 1 if written.unreadable else 0


def _parse_formats(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        known = "html, pdf, md, latex, latex-all, figures, csv, json and npz"
        raise UserError(f"--format names no format: {known} are known")
    return names


def _published_files(own: list[Path] | None, places: list[Path], *, packaged: bool) -> list[Path]:
    """Files of published numbers, as they were given unless a bundle is read, for which the working directory changes."""
    from harness.analysis.published import packaged_files

    moves = any(place.is_file() for place in places)
    return [*(packaged_files() if packaged else ()), *(file.absolute() if moves else file for file in own or ())]
