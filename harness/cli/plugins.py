"""``new-plugin``, and the side of ``check`` that examines methods."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
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
    name: Annotated[str, typer.Argument(help="Of the method, such as my_bonus.", show_default=False)],
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where to write it; ./harness_NAME if not given.", show_default=False)
    ] = None,
) -> None:
    """Write a complete plugin package around a small method that works, for you to change."""
    from harness.registry import installed
    from harness.scaffold import write_plugin

    folder = Path(f"harness_{name}") if directory is None else directory
    write_plugin(name, folder, installed())
    place = shlex.quote(str(folder))
    console = open_console()
    console.print(f"{folder}: a plugin with the method {name!r}. Next:\n", soft_wrap=True)
    for command in (
        f"python -m pip install -e {place}",
        f"harness check {name}",
        f"python -m pytest {place}",
        f"harness run {shlex.quote(str(folder / 'suites' / f'{name}.yaml'))} --profile smoke",
    ):
        console.print(f"  {command}", soft_wrap=True)


def check_methods(names: Sequence[str], *, quiet: bool) -> list[dict[str, Any]]:
    """Run the conformance kit on methods, and print each result as soon as there is one.

    Args:
        names: Of installed methods.
        quiet: Print nothing.

    Returns:
        For each method its name and its results, as for JSON.

    Raises:
        UserError: A name is unknown or a method cannot be imported; nothing was examined.
    """
    from harness.registry import installed

    for name in names:
        installed().method(name)  # before anything heavy is imported
    if not names:
        return []
    from harness.testing import Subject, run_checks

    console = None if quiet else open_console()
    found = []
    for subject in [Subject.named(name) for name in names]:
        results = []
        for result in run_checks(subject):
            results.append(result)
            if console is not None:
                _print_result(console, subject.method.name, result)
        if console is not None:
            _print_totals(console, subject.method.name, results)
        found.append({"method": subject.method.name, "checks": [asdict(result) for result in results]})
    return found


def any_failed(methods: Sequence[dict[str, Any]]) -> bool:
    """Whether some check of some method failed."""
    return any(check["outcome"] == "failed" for method in methods for check in method["checks"])


def _print_result(console: Console, method: str, result: CheckResult) -> None:
    outcome = Text(f"{result.outcome:14}", _STYLES[result.outcome])
    console.print(Text.assemble(f"{method}  ", outcome, f"  {result.check:13}  {result.message or result.description}"))


def _print_totals(console: Console, method: str, results: Sequence[CheckResult]) -> None:
    counts = Counter(result.outcome for result in results)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _STYLES if counts[outcome])
    console.print(f"{method}: {told}", soft_wrap=True)
