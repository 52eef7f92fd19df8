"""``new-suite``: a suite of one's own, begun from another."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.display.console import open_console
from harness.cli.options import Profile, load
from harness.errors import UserError


def new_suite(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FROM",
            help="Name or path of the suite to begin from.",
            show_default=False,
            autocompletion=completion.suites,
        ),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new suite.", show_default=False)],
    directory: Annotated[Path, typer.Option("--dir", help="Where to write NAME.yaml.")] = Path(),
    resolved: Annotated[
        bool,
        typer.Option("--resolved", help="Write every setting out, with the preset or default that gave it, without profiles."),
    ] = False,
    profile: Profile = None,
) -> None:
    """Copy a suite under another name to edit it: its text with all comments, or --resolved with every setting in it.

    Beside it goes the JSON Schema of suites, which the file's first line names, so that editors complete and check what you
    write; after installing a plugin 'harness schema > suite.schema.json' brings it up to date.
    """
    from harness.suites.copying import SCHEMA_FILE, SCHEMA_LINE, renamed_suite
    from harness.suites.model import validate_folder_name
    from harness.suites.schema import suite_schema
    from harness.suites.yaml import parse_yaml

    if profile is not None and not resolved:
        raise UserError("--profile goes with --resolved: otherwise all profiles are copied")
    try:
        validate_folder_name(name)
    except ValueError as error:
        raise UserError(str(error)) from None
    file, schema = directory / f"{name}.yaml", directory / SCHEMA_FILE
    if file.exists():
        raise UserError(f"{file}: is there already; remove it, or give another name")
    _refuse_strange_schema(schema)
    plan = load(source, profile)
    assert plan.file is not None
    if resolved:
        from harness.planning.written_out import written_out

        text = f"{SCHEMA_LINE}\n{written_out(plan, name)}"
    else:
        text = renamed_suite(plan.file.read_text(encoding="utf-8-sig"), name, str(file), plan.file.name)
    parse_yaml(text, file)
    directory.mkdir(parents=True, exist_ok=True)
    schema.write_text(json.dumps(suite_schema()) + "\n", encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    console, place = open_console(), shlex.quote(str(file))
    console.print(f"{file}: a copy of {plan.suite.suite}, with {schema} for editors. Next:\n", soft_wrap=True)
    for command in (f"harness check {place}", f"harness run {place}" + ("" if resolved else " --profile smoke")):
        console.print(f"  {command}", soft_wrap=True)


def _refuse_strange_schema(file: Path) -> None:
    """Refuse to replace a file that is no schema of suites."""
    if not file.exists():
        return
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "suite" not in found.get("properties", {}):
        raise UserError(f"{file}: is something else than the schema that would be written there; choose another --dir")
