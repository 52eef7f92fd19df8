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

if TYPE_CHECKING:
    from harness.testing import CheckResult

_STYLES = {"passed": "green", "failed": "bold red", "not applicable": "dim"}


def new_plugin(
    name: Annotated[str, typer.Argument(help="Of what it provides, such as my_bonus.", show_default=False)],
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where to write it; ./harness_NAME if not given.", show_default=False)
    ] = None,
    kind: Annotated[str, typer.Option(metavar="<method|environment|algorithm>", help="What it provides.")] = "method",
) -> None:
    """Write a complete plugin package around something small that works, for you to change."""
    from harness.registry import installed
    from harness.scaffold import write_plugin

    folder = Path(f"harness_{name}") if directory is None else directory
    plugin = write_plugin(name, folder, installed(), kind)
    console = open_console()
    console.print(f"{folder}: a plugin with the {plugin.kind.name} {name!r}. Next:\n", soft_wrap=True)
    for command in (
        f"python -m pip install -e {shlex.quote(f'{folder}[dev]')}",
        f"harness check {name}",
        f"python -m pytest {shlex.quote(str(folder))}",
        f"harness run {shlex.quote(str(folder / 'suites' / f'{name}.yaml'))} --profile smoke",
    ):
        console.print(f"  {command}", soft_wrap=True)


def examine(kinds: Sequence[tuple[str, str]], *, quiet: bool) -> list[dict[str, Any]]:
    """Run the conformance kits on methods, algorithms and environment families, and print each result as soon as there is one.

    Args:
        kinds: Kind and name of each: ``method``, ``algorithm`` or ``environment``.
        quiet: Whether to print nothing.

    Returns:
        For each its name, under the kind of thing that it is (such as ``method``), and its results, as for JSON.

    Raises:
        UserError: What a name stands for cannot be imported; nothing was examined.
    """
    if not kinds:
        return []
    console = None if quiet else open_console()
    found: list[dict[str, Any]] = []
    for kind, name, checks in [(kind, name, _EXAMINERS[kind](name)) for kind, name in kinds]:
        results: list[CheckResult] = []
        for result in checks:
            results.append(result)
            if console is not None:
                _print_result(console, name, result)
        if console is not None:
            _print_totals(console, name, results)
        found.append({kind: name, "checks": [asdict(result) for result in results]})
    return found


def _examine_method(name: str) -> Iterator[CheckResult]:
    from harness.testing import Subject, run_checks

    return run_checks(Subject.named(name))


def _examine_algorithm(name: str) -> Iterator[CheckResult]:
    from harness.testing import AlgorithmSubject, run_algorithm_checks

    return run_algorithm_checks(AlgorithmSubject.named(name))


def _examine_environment(name: str) -> Iterator[CheckResult]:
    from harness.testing.families import Family, run_family_checks

    return run_family_checks(Family.named(name))


_EXAMINERS = {"method": _examine_method, "algorithm": _examine_algorithm, "environment": _examine_environment}


def any_failed(examined: Sequence[dict[str, Any]]) -> bool:
    """Whether some check of anything that was examined failed."""
    return any(check["outcome"] == "failed" for one in examined for check in one["checks"])


def _print_result(console: Console, name: str, result: CheckResult) -> None:
    outcome = Text(f"{result.outcome:14}", _STYLES[result.outcome])
    console.print(Text.assemble(f"{name}  ", outcome, f"  {result.check:13}  {result.message or result.description}"))


def _print_totals(console: Console, name: str, results: Sequence[CheckResult]) -> None:
    counts = Counter(result.outcome for result in results)
    totals = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _STYLES if counts[outcome])
    console.print(f"{name}: {totals}", soft_wrap=True)
