"""``list`` and ``show``: what is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from harness.cli import completion
from harness.cli.display.console import open_console
from harness.cli.options import AsJson, Profile, print_json
from harness.errors import UnknownNameError

KINDS = ("methods", "environments", "algorithms", "networks", "executors", "trackers", "report_sections", "suites", "plugins")


def _complete_kind(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help=f"One of: {', '.join(KINDS)}; all if not given.",
            show_default=False,
            autocompletion=_complete_kind,
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Where suites are looked for; 'list suites' without it adds the packaged ones.", show_default=False
        ),
    ] = None,
    profile: Profile = None,
    results: Annotated[Path, typer.Option(help="Finished runs, whose speed tells what suites will take.")] = Path("results"),
    as_json: AsJson = False,
) -> None:
    """List what is installed: methods, environments, algorithms, networks, executors, trackers, sections, suites, plugins."""
    from harness.cli.display import catalogue as tables
    from harness.registry import installed
    from harness.suites.files import SUITES_FOLDER, packaged_suites

    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind", kind, KINDS)
    query = _SuiteQuery(directory if kind else directory or Path(SUITES_FOLDER), profile, results)
    found = {one: _entries(one, query) for one in ([kind] if kind else KINDS)}
    if as_json:
        print_json({one: [asdict(entry) for entry in entries] for one, entries in found.items()})
        return
    console = open_console()
    for one, entries in found.items():
        if entries or one != "suites" or kind or directory:  # else the line below names those that there are
            tables.print_listing(console, one, entries)
    if kind is None and directory is None:
        tables.print_packaged_names(console, list(packaged_suites()))
    tables.print_unavailable_plugins(console, installed())


class _SuiteQuery(NamedTuple):
    directory: Path | None
    profile: str | None
    results: Path


def _entries(kind: str, query: _SuiteQuery) -> Sequence[Any]:
    from harness.cli import catalogue, suite_catalogue
    from harness.registry import installed

    match kind:
        case "plugins":
            return catalogue.plugins(installed())
        case "suites":
            return suite_catalogue.suites(installed(), query.directory, profile=query.profile, results=query.results)
        case _:
            return catalogue.entries(installed(), kind)


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="Method, environment, algorithm, network, executor, tracker or report section.",
            autocompletion=completion.names,
        ),
    ],
    space: Annotated[bool, typer.Option("--space", help="Only what 'harness tune' would search.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one thing in full: its presets with their sources, and every setting with type, bounds, default and meaning."""
    from harness.cli import catalogue
    from harness.cli.display import catalogue as tables
    from harness.registry import installed

    if space:
        found = catalogue.space(installed(), name)
        if as_json:
            print_json({"name": name, "algorithm": found.algorithm, "parameters": [asdict(p) for p in found.space.parameters]})
        else:
            tables.print_space(open_console(), name, found)
        return
    details = catalogue.describe(installed(), name)
    if as_json:
        print_json([asdict(detail) for detail in details])
        return
    console = open_console()
    for detail in details:
        tables.print_detail(console, detail)
