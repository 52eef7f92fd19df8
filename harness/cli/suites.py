"""``check`` and ``schema``: what can be known about a suite, or a part of a plugin, without running it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from harness.cli import completion
from harness.cli.display.console import open_console, print_table
from harness.cli.meanings import Kind, meanings
from harness.cli.options import AsJson, Overrides, Profile, load, print_json
from harness.errors import UserError, plural

if TYPE_CHECKING:
    from harness.planning.plan import Plan


@dataclass(frozen=True)
class _SuiteCheck:
    name: str
    plan: Plan | None
    problems: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return str((self.plan and self.plan.file) or self.name)

    @property
    def runs(self) -> int:
        return len(self.plan.runs) if self.plan else 0

    @property
    def notices(self) -> tuple[str, ...]:
        """What must be known before starting, a sentence each."""
        from harness.execution.instructions import bf16_notice

        notice = bf16_notice(self.plan.runs) if self.plan else ""
        return (notice,) if notice else ()


def check(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="SUITE|NAME...",
            help="Suites by name or path, or names of methods, algorithms and environment families.",
            show_default=False,
            autocompletion=completion.checkable,
        ),
    ],
    profile: Profile = None,
    overrides: Overrides = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show every value with the line, option, preset or default that gave it."),
    ] = False,
    build: Annotated[
        bool,
        typer.Option("--build/--no-build", help="Build each task once with each method, in processes of their own."),
    ] = True,
    kind: Annotated[
        Kind | None, typer.Option(help="Of everything that a name means, look at this alone.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Validate suites without training anything; examine what plugins provide with the conformance kits.

    Everything of a name is looked at: as minigrid is a suite and an environment family, both are. A path means a suite alone.
    """
    from harness.cli.plugins import any_failed, examine

    wanted = [meaning for name in what for meaning in meanings(name, kind)]  # before anything heavy is imported
    checked = [_check(name, profile, overrides, build=build) for one, name in wanted if one == "suite"]
    good = not any(one.problems for one in checked)
    if not as_json:
        _print_checked(checked, explain=explain)
    examined = examine([one for one in wanted if one[0] != "suite"], quiet=as_json) if good else []
    if as_json:
        print_json([*(_check_as_json(one, explain=explain) for one in checked), *examined])
    return 2 if not good else 1 if any_failed(examined) else 0


def schema() -> None:
    """Print the JSON Schema of a suite, for completion and checks in an editor."""
    from harness.suites.schema import suite_schema

    typer.echo(json.dumps(suite_schema(), indent=2))


def _print_checked(checked: Sequence[_SuiteCheck], *, explain: bool) -> None:
    console = open_console()
    for one in checked:
        if one.plan is not None:
            console.print(f"{one.name}: good, {plural(one.runs, 'run')}", soft_wrap=True)
            for notice in one.notices:
                console.print(Text(f"{one.name}: {notice}", style="yellow"), soft_wrap=True)
            if explain:
                rows = [(key, json.dumps(source.value), source.origin) for key, source in one.plan.sources.items()]
                print_table(console, "", ("setting", "value", "from"), rows, no_wrap_columns=("setting",))
    if problems := [problem for one in checked for problem in one.problems]:
        raise UserError("\n".join(problems))


def _check_as_json(checked: _SuiteCheck, *, explain: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"file": checked.file, "runs": checked.runs, "problems": checked.problems}
    if checked.notices:
        found["notices"] = checked.notices
    if explain:
        found["settings"] = {key: asdict(source) for key, source in checked.plan.sources.items()} if checked.plan else {}
    return found


def _check(name: str, profile: str | None, overrides: Sequence[str] | None, *, build: bool) -> _SuiteCheck:
    from harness.execution.rehearsal import build_problems
    from harness.planning.snapshots import resolve_snapshots
    from harness.tuning.space import check_search_spaces

    try:
        plan = resolve_snapshots(load(name, profile, overrides=overrides))
        check_search_spaces(plan)
    except UserError as error:
        return _SuiteCheck(name, None, tuple(str(error).splitlines()))
    if build:
        with open_console().status("building each task with each method"):
            problems = build_problems(plan.runs)
        if problems:
            return _SuiteCheck(name, None, tuple(f"{name}: {problem}" for problem in problems))
    return _SuiteCheck(name, plan)
