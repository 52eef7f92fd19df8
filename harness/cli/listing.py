"""``list`` and ``show``: what is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from harness.cli.options import AsJson, Profile, print_json
from harness.display.console import open_console
from harness.errors import UnknownNameError

KINDS = ("methods", "environments", "algorithms", "networks", "executors", "suites", "plugins")


def list_(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help=f"One of: {', '.join(KINDS)}; all if not given.", show_default=False)
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Where suites are looked for; 'list suites' without it adds those of plugins.", show_default=False
        ),
    ] = None,
    profile: Profile = None,
    results: Annotated[Path, typer.Option(help="Finished runs, whose speed tells what suites will take.")] = Path("results"),
    as_json: AsJson = False,
) -> None:
    """List what is installed: methods, environments, algorithms, networks, executors, suites, plugins."""
    from harness.display import catalogue as tables
    from harness.registry import registry
    from harness.suite_files import FOLDER

    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind", kind, KINDS)
    where = _Where(directory if kind else directory or Path(FOLDER), profile, results)
    found = {one: _entries(one, where) for one in ([kind] if kind else KINDS)}
    if as_json:
        print_json({one: [asdict(entry) for entry in entries] for one, entries in found.items()})
        return
    console = open_console()
    for one, entries in found.items():
        tables.print_listing(console, one, entries)
    tables.print_unused(console, registry())


class _Where(NamedTuple):
    directory: Path | None
    profile: str | None
    results: Path


def _entries(kind: str, where: _Where) -> Sequence[Any]:
    from harness import catalogue
    from harness.registry import registry

    match kind:
        case "plugins":
            return catalogue.plugins(registry())
        case "suites":
            return catalogue.suites(registry(), where.directory, profile=where.profile, results=where.results)
        case _:
            return catalogue.entries(registry(), kind)


def show(
    name: Annotated[str, typer.Argument(help="Of a method, environment, algorithm, network or executor.")],
    as_json: AsJson = False,
) -> None:
    """Show one thing in full: its presets with their sources, and every setting with type, bounds, default and meaning."""
    from harness import catalogue
    from harness.display import catalogue as tables
    from harness.registry import registry

    details = catalogue.describe(registry(), name)
    if as_json:
        print_json([asdict(detail) for detail in details])
        return
    console = open_console()
    for detail in details:
        tables.print_detail(console, detail)
