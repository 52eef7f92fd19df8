"""What several commands take, and how a plan is loaded from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import completion

if TYPE_CHECKING:
    from harness.planning.plan import Plan

SuiteFile = Annotated[
    str,
    typer.Argument(
        metavar="SUITE",
        help="Name of a packaged suite ('harness list suites'), or path of a suite file.",
        show_default=False,
        autocompletion=completion.suites,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        "-p",
        help="Scale of the suite, such as smoke, laptop or paper.",
        show_default=False,
        autocompletion=completion.profiles,
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        help="Only this method, or those with this reward; repeatable.",
        show_default=False,
        autocompletion=completion.methods,
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", "-t", help="Only this task; repeatable.", show_default=False, autocompletion=completion.tasks),
]
Seeds = Annotated[
    str | None, typer.Option(help="Instead of the suite's: a count, or seeds such as 0-4 or 0,3.", show_default=False)
]
Steps = Annotated[str | None, typer.Option(help="Instead of the suite's, such as 1e6.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set anything, such as algorithm.n_envs=8, or lay a file over the suite: @best.yaml; repeatable.",
        show_default=False,
    ),
]
MAX_WORKERS = 10_000

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def load(
    suite: str,
    profile: str | None = None,
    methods: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    seeds: str | None = None,
    steps: str | None = None,
    overrides: Sequence[str] | None = None,
) -> Plan:
    """The plan that a command was asked for."""
    from harness import experiment
    from harness.planning.load import parse_override

    pairs = [parse_override(text) for text in overrides or ()]
    return experiment.plan(suite, profile=profile, overrides=pairs, methods=methods, tasks=tasks, seeds=seeds, steps=steps)


def print_json(data: Any) -> None:
    """Print data for scripts."""
    sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")
