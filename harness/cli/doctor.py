"""``doctor``: what is installed, what this machine can do, and what is missing with the command that mends it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from harness.cli.display.console import open_console
from harness.cli.options import AsJson, print_json
from harness.errors import plural

_STYLES = {"good": "green", "note": "yellow", "missing": "bold red", "unknown": "magenta"}


def doctor(
    results: Annotated[Path, typer.Option(help="The results directory whose disk is looked at.")] = Path("results"),
    as_json: AsJson = False,
) -> int:
    """Look at this machine: versions, packages, GPUs, ROMs, OpenGL, Qt, the results folder's disk, clock and memory.

    What only some suites need is noted; where something is missing that everything needs the exit code is 1. Under each such
    line stands the command that mends it.
    """
    from harness.cli.diagnosis import Finding, diagnose, missing

    console = open_console()
    findings: list[Finding] = []
    for finding in diagnose(results):
        findings.append(finding)
        if not as_json:
            _print(console, finding.topic, finding.state, finding.text, finding.remedy)
    number = missing(findings)
    if as_json:
        print_json({"missing": number, "findings": [asdict(finding) for finding in findings]})
    elif number:
        console.print(Text(f"{plural(number, 'thing')} that the harness needs: see above", style="bold red"))
    else:
        console.print("nothing that the harness needs is missing")
    return 1 if number else 0


def _print(console: Console, topic: str, state: str, text: str, remedy: str) -> None:
    console.print(Text.assemble((f"{state:8}", _STYLES[state]), (f"{topic}: ", "bold"), text))
    if remedy:
        console.print(Text(f"{'':8}  {remedy}", style="cyan"), soft_wrap=True)
