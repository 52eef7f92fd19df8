"""``check`` and ``schema``: what can be known about a suite, a method or an environment family, without running it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.display.console import open_console
from harness.cli.display.words import plural
from harness.cli.options import AsJson, Profile, load, print_json
from harness.errors import UserError


@dataclass(frozen=True)
class _SuiteCheck:
    file: Path
    runs: int
    problems: tuple[str, ...]


def check(
    what: Annotated[
        list[str],
        typer.Argument(metavar="SUITE.yaml|NAME...", help="Suite files, methods or environment families.", show_default=False),
    ],
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Validate suites without running anything; examine methods and environment families with the conformance kits."""
    from harness.cli.plugins import any_failed, check_plugins

    checked = [_check(Path(name), profile) for name in what if _is_suite_file(name)]
    good = not any(one.problems for one in checked)
    if not as_json:
        _print_checked(checked)
    examined = check_plugins([name for name in what if not _is_suite_file(name)], quiet=as_json) if good else []
    if as_json:
        print_json([*({"file": str(c.file), "runs": c.runs, "problems": c.problems} for c in checked), *examined])
    return 2 if not good else 1 if any_failed(examined) else 0


def schema() -> None:
    """Print the JSON Schema of a suite, for completion and checks in an editor."""
    from harness.suites.schema import suite_schema

    typer.echo(json.dumps(suite_schema(), indent=2))


def _is_suite_file(name: str) -> bool:
    return Path(name).is_file() or Path(name).suffix in {".yaml", ".yml"} or Path(name).name != name


def _print_checked(checked: Sequence[_SuiteCheck]) -> None:
    console = open_console()
    for one in checked:
        if not one.problems:
            console.print(f"{one.file}: good, {plural(one.runs, 'run')}", soft_wrap=True)
    if problems := [problem for one in checked for problem in one.problems]:
        raise UserError("\n".join(problems))


def _check(file: Path, profile: str | None) -> _SuiteCheck:
    from harness.planning.expand import expand

    try:
        return _SuiteCheck(file, len(expand(load(file, profile))), ())
    except UserError as error:
        return _SuiteCheck(file, 0, tuple(str(error).splitlines()))
