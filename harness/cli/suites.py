"""``check`` and ``schema``: what can be known about a suite without running it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsJson, Profile, load, print_json
from harness.display.console import open_console
from harness.display.words import plural
from harness.errors import UserError


@dataclass(frozen=True)
class _Checked:
    file: Path
    runs: int
    problems: tuple[str, ...]


def check(
    files: Annotated[list[Path], typer.Argument(metavar="SUITE.yaml...", help="Suite files.", show_default=False)],
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Validate suites without running anything."""
    checked = [_check(file, profile) for file in files]
    if as_json:
        print_json([{"file": str(c.file), "runs": c.runs, "problems": c.problems} for c in checked])
        return 2 if any(c.problems for c in checked) else 0
    console = open_console()
    for one in checked:
        if not one.problems:
            console.print(f"{one.file}: good, {plural(one.runs, 'run')}", soft_wrap=True)
    if problems := [problem for one in checked for problem in one.problems]:
        raise UserError("\n".join(problems))
    return 0


def schema() -> None:
    """Print the JSON Schema of a suite, for completion and checks in an editor."""
    from harness.schema import suite_schema

    typer.echo(json.dumps(suite_schema(), indent=2))


def _check(file: Path, profile: str | None) -> _Checked:
    from harness.plan import expand

    try:
        return _Checked(file, len(expand(load(file, profile))), ())
    except UserError as error:
        return _Checked(file, 0, tuple(str(error).splitlines()))
