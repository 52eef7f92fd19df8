"""``run``: what is missing is run, what was interrupted is resumed, what is finished is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli import completion
from harness.cli.options import MAX_WORKERS, AsJson, Methods, Overrides, Profile, Seeds, Steps, SuiteFile, Tasks, load
from harness.errors import UserError


def run(
    suite: SuiteFile,
    profile: Profile = None,
    method: Methods = None,
    task: Tasks = None,
    seeds: Seeds = None,
    steps: Steps = None,
    overrides: Overrides = None,
    results: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("results"),
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", min=1, max=MAX_WORKERS, help="Runs at a time; as many as fit if not given.", show_default=False
        ),
    ] = None,
    executor: Annotated[
        str,
        typer.Option(help="What carries the runs; 'harness list executors' names them.", autocompletion=completion.executors),
    ] = "local",
    device: Annotated[
        str, typer.Option(metavar="<auto|cpu|cuda|cuda:N>", help="What networks compute on; without N, runs share the GPUs.")
    ] = "auto",
    tracker: Annotated[
        list[str] | None,
        typer.Option(
            "--tracker",
            help="Follow the runs there as well, beside the suite's own 'trackers'; see 'harness list trackers'; repeatable.",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start these runs over: what they left is deleted.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave runs alone that other processes have, instead of waiting for them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the plan, with estimates.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Do not write the report at the end.")] = False,
    as_json: AsJson = False,
) -> int:
    """Run a suite: what is missing is run, what was interrupted is resumed, what is finished is left alone."""
    if as_json and not dry_run:
        raise UserError("--json goes with --dry-run; for results in JSON see 'harness status RESULTS --json'")
    from harness.cli.launch import launch, print_plan
    from harness.registry import installed

    installed().executor(executor)
    for name in tracker or ():
        installed().tracker(name)
    plan = load(suite, profile, method, task, seeds, steps, overrides)
    if dry_run:
        print_plan(plan, results, workers=workers, device=device, fresh=fresh, as_json=as_json)
        return 0
    how: dict[str, Any] = {"executor": executor, "workers": workers, "device": device, "fresh": fresh, "wait": not no_wait}
    how["trackers"] = tracker or ()
    return launch(plan, results, how, report=not no_report)
