"""``check`` and ``schema``: what can be known about a suite, or a part of a plugin, without running it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from harness.cli.display.console import open_console, print_table
from harness.cli.options import AsJson, Overrides, Profile, load, print_json
from harness.errors import UserError, plural

if TYPE_CHECKING:
    from harness.planning.plan import Plan


@dataclass(frozen=True)
class _SuiteCheck:
    file: Path
    plan: Plan | None
    problems: tuple[str, ...] = ()

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
        typer.Argument(metavar="SUITE.yaml|NAME...", help="Suites, or methods, algorithms and families.", show_default=False),
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
    as_json: AsJson = False,
) -> int:
    """Validate suites without training anything; examine what plugins provide with the conformance kits."""
    from harness.cli.plugins import any_failed, examine

    checked = [_check(Path(name), profile, overrides, build=build) for name in what if _is_suite_file(name)]
    good = not any(one.problems for one in checked)
    if not as_json:
        _print_checked(checked, explain=explain)
    examined = examine([name for name in what if not _is_suite_file(name)], quiet=as_json) if good else []
    if as_json:
        print_json([*(_check_as_json(one, explain=explain) for one in checked), *examined])
    return 2 if not good else 1 if any_failed(examined) else 0


def schema() -> None:
    """Print the JSON Schema of a suite, for completion and checks in an editor."""
    from harness.suites.schema import suite_schema

    typer.echo(json.dumps(suite_schema(), indent=2))


def _is_suite_file(name: str) -> bool:
    return Path(name).is_file() or Path(name).suffix in {".yaml", ".yml"} or Path(name).name != name


def _print_checked(checked: Sequence[_SuiteCheck], *, explain: bool) -> None:
    console = open_console()
    for one in checked:
        if one.plan is not None:
            console.print(f"{one.file}: good, {plural(one.runs, 'run')}", soft_wrap=True)
            for notice in one.notices:
                console.print(Text(f"{one.file}: {notice}", style="yellow"), soft_wrap=True)
            if explain:
                rows = [(key, json.dumps(source.value), source.origin) for key, source in one.plan.sources.items()]
                print_table(console, "", ("setting", "value", "from"), rows, no_wrap_columns=("setting",))
    if problems := [problem for one in checked for problem in one.problems]:
        raise UserError("\n".join(problems))


def _check_as_json(checked: _SuiteCheck, *, explain: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"file": str(checked.file), "runs": checked.runs, "problems": checked.problems}
    if checked.notices:
        found["notices"] = checked.notices
    if explain:
        found["settings"] = {key: asdict(source) for key, source in checked.plan.sources.items()} if checked.plan else {}
    return found


def _check(file: Path, profile: str | None, overrides: Sequence[str] | None, *, build: bool) -> _SuiteCheck:
    from harness.execution.rehearsal import build_problems
    from harness.planning.snapshots import resolve_snapshots
    from harness.tuning.space import check_search_spaces

    try:
        plan = resolve_snapshots(load(file, profile, overrides=overrides))
        check_search_spaces(plan)
    except UserError as error:
        return _SuiteCheck(file, None, tuple(str(error).splitlines()))
    if build:
        with open_console().status("building each task with each method"):
            problems = build_problems(plan.runs)
        if problems:
            return _SuiteCheck(file, None, tuple(f"{file}: {problem}" for problem in problems))
    return _SuiteCheck(file, plan)
