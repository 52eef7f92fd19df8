"""``new-plugin``, and the side of ``check`` that examines what plugins provide."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from harness.cli.display.console import open_console
from harness.errors import UnknownNameError

if TYPE_CHECKING:
    from harness.testing import CheckResult

_STYLES = {"passed": "green", "failed": "bold red", "not applicable": "dim"}


def new_plugin(
    name: Annotated[str, typer.Argument(help="Of what it provides, such as my_bonus.", show_default=False)],
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where to write it; ./harness_NAME if not given.", show_default=False)
    ] = None,
    kind: Annotated[str, typer.Option(help="What it provides: method, environment or algorithm.")] = "method",
) -> None:
    """Write a complete plugin package around something small that works, for you to change."""
    from harness.registry import installed
    from harness.scaffold import write_plugin

    folder = Path(f"harness_{name}") if directory is None else directory
    plugin = write_plugin(name, folder, installed(), kind)
    place = shlex.quote(str(folder))
    console = open_console()
    console.print(f"{folder}: a plugin with the {plugin.kind.name} {name!r}. Next:\n", soft_wrap=True)
    for command in (
        f"python -m pip install -e {place}",
        f"harness {'show' if kind == 'algorithm' else 'check'} {name}",
        f"python -m pytest {place}",
        f"harness run {shlex.quote(str(folder / 'suites' / f'{name}.yaml'))} --profile smoke",
    ):
        console.print(f"  {command}", soft_wrap=True)


def check_plugins(names: Sequence[str], *, quiet: bool) -> list[dict[str, Any]]:
    """Run the conformance kits on methods and environment families, and print each result as soon as there is one.

    Args:
        names: Of what is installed; where a method and a family share a name, both are examined.
        quiet: Print nothing.

    Returns:
        For each its name, under ``method`` or ``environment``, and its results, as for JSON.

    Raises:
        UserError: A name is unknown or cannot be imported; nothing was examined.
    """
    from harness.registry import installed

    registry = installed()
    kinds = {"method": registry.methods, "environment": registry.environments}
    for name in names:  # before anything heavy is imported
        if not any(name in provided for provided in kinds.values()):
            known = sorted({known for provided in kinds.values() for known in provided})
            notes = "; ".join(str(plugin) for plugin in registry.broken)
            raise UnknownNameError("method or environment family", name, known, f"- note: {notes}" if notes else "")
    if not names:
        return []
    examined = [(kind, name) for name in names for kind, provided in kinds.items() if name in provided]
    subjects = [(kind, name, _checks_of(kind, name)) for kind, name in examined]
    console = None if quiet else open_console()
    found = []
    for kind, name, checks in subjects:
        results = []
        for result in checks:
            results.append(result)
            if console is not None:
                _print_result(console, name, result)
        if console is not None:
            _print_totals(console, name, results)
        found.append({kind: name, "checks": [asdict(result) for result in results]})
    return found


def _checks_of(kind: str, name: str) -> Iterator[CheckResult]:
    """The checks of one thing, done one by one as they are asked for; what is broken is refused at once."""
    if kind == "method":
        from harness.testing import Subject, run_checks

        return run_checks(Subject.named(name))
    from harness.testing.families import Family, run_family_checks

    return run_family_checks(Family.named(name))


def any_failed(examined: Sequence[dict[str, Any]]) -> bool:
    """Whether some check of something examined failed."""
    return any(check["outcome"] == "failed" for one in examined for check in one["checks"])


def _print_result(console: Console, name: str, result: CheckResult) -> None:
    outcome = Text(f"{result.outcome:14}", _STYLES[result.outcome])
    console.print(Text.assemble(f"{name}  ", outcome, f"  {result.check:13}  {result.message or result.description}"))


def _print_totals(console: Console, name: str, results: Sequence[CheckResult]) -> None:
    counts = Counter(result.outcome for result in results)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _STYLES if counts[outcome])
    console.print(f"{name}: {told}", soft_wrap=True)
