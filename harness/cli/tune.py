"""``tune``: search for a method's settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, get_args

import typer

from harness.cli.options import MAX_WORKERS, Overrides, Profile, Steps, SuiteFile, Tasks, load
from harness.errors import UnknownNameError, UserError, shorten
from harness.spec import MAX_COUNT
from harness.suites.tune_block import Objective, Pruner, Sampler

STORAGE_VARIABLE = "HARNESS_STORAGE"
"""The environment variable for ``--storage``."""

EPILOG = (
    "The search space comes from the settings' own ranges (harness show METHOD --space); the suite's 'tune' block narrows or"
    " widens it: tune: {space: {METHOD: {config: {eta: {low: 0.1, high: 1, log: true}}, algorithm: {gamma: [0.99, 0.999],"
    " n_epochs: null}}}}. Run the same command on more machines to join the study; a killed one goes on where it was."
    " A password in --storage belongs into HARNESS_STORAGE or ~/.pgpass."
)


def tune(
    suite: SuiteFile,
    method: Annotated[str, typer.Option("--method", "-m", help="Whose settings to search.", show_default=False)],
    profile: Profile = None,
    task: Tasks = None,
    steps: Steps = None,
    overrides: Overrides = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_COUNT, help="Of the study, over all workers and restarts; 50 unless the suite says."),
    ] = None,
    total_steps: Annotated[
        str | None, typer.Option(help="No new trial once all of them together take so many steps, such as 1e7.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Of this call, such as 90m or 8h; what is under way then is resumable.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=10_000, help="Of each trial; 3 unless the suite says.")] = None,
    sampler: Annotated[str | None, typer.Option(help=f"{', '.join(get_args(Sampler))}; tpe unless the suite says.")] = None,
    pruner: Annotated[str | None, typer.Option(help=f"{', '.join(get_args(Pruner))}; none unless the suite says.")] = None,
    objective: Annotated[
        list[str] | None, typer.Option(help="score, and seconds for its cost too; repeatable.", show_default=False)
    ] = None,
    confirm: Annotated[
        int | None,
        typer.Option(
            min=0, max=10_000, help="How many of the best trials to run again on fresh seeds; 3 unless the suite says."
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Name of the study; suite and method if not given.", show_default=False)
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            envvar=STORAGE_VARIABLE,
            show_envvar=True,
            help="Journal file, sqlite:///FILE or postgresql://USER@HOST/DATABASE; a journal by the results if not given.",
            show_default=False,
        ),
    ] = None,
    storage_timeout: Annotated[
        str, typer.Option(help="For how long to wait for a database that is away before giving up, such as 90s or 1h.")
    ] = "10m",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", min=1, max=MAX_WORKERS, help="Trials at a time; one per core if not given.", show_default=False
        ),
    ] = None,
    executor: Annotated[str, typer.Option(help="What carries the runs; see 'harness list executors'.")] = "local",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N; without N, runs share the GPUs.")] = "auto",
    results: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("results"),
    out: Annotated[
        Path | None, typer.Option(help="Where to write the settings found; best.yaml in the study's folder if not given.")
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave the last trials alone if other processes have them, instead of waiting.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the search space and what the study will take.")
    ] = False,
) -> int:
    """Search for a method's settings on seeds that no evaluation uses, and confirm the best on fresh ones."""
    choices = {"sampler": (sampler, Sampler), "pruner": (pruner, Pruner)}
    for kind, (name, known) in choices.items():
        if name is not None and name not in get_args(known):
            raise UnknownNameError(kind, name, get_args(known))
    for name in objective or ():
        if name not in get_args(Objective):
            raise UnknownNameError("objective", name, get_args(Objective))
    seconds = None if time is None else _parse_duration("--time", time)
    outage_seconds = _parse_duration("--storage-timeout", storage_timeout)
    max_steps = None if total_steps is None else _parse_whole_number(total_steps)
    given = {
        "trials": trials,
        "seeds": seeds,
        "sampler": sampler,
        "pruner": pruner,
        "confirm": confirm,
        "objectives": f"[{', '.join(objective)}]" if objective else None,
    }
    os.environ.pop(STORAGE_VARIABLE, None)  # what is started from here has plugins in it, and no use for a password
    from harness.registry import installed

    options = [f"tune.{key}={value}" for key, value in given.items() if value is not None]
    installed().executor(executor)
    plan = load(suite, profile, [method], task, None, steps, [*(overrides or ()), *options])
    if len(plan.suite.methods) > 1:
        raise UserError(f"--method {method}: is the reward of {', '.join(plan.suite.methods)}; name one of them")
    (method,) = plan.suite.methods

    from harness.cli.tuning import launch_tuning, print_tuning_plan

    how = {"workers": workers, "device": device, "trials": trials, "max_steps": max_steps, "seconds": seconds}
    if dry_run:
        print_tuning_plan(plan, method, results, how)
        return 0
    where = {"study": study, "storage": storage, "out": out, "executor": executor}
    return launch_tuning(plan, method, results, {**how, **where, "wait": not no_wait, "outage_seconds": outage_seconds})


def _parse_duration(option: str, text: str) -> float:
    from harness.suites.model import parse_duration

    try:
        return parse_duration(text)
    except ValueError:
        raise UserError(f"{option} {shorten(text)}: expected a time such as 90m, 8h or 3600 (seconds)") from None


def _parse_whole_number(text: str) -> int:
    try:
        number = float(text.replace("_", ""))
    except ValueError:
        number = 0.0
    if not (1 <= number <= MAX_COUNT and number.is_integer()):
        raise UserError(f"--total-steps {shorten(text)}: expected a whole number such as 1e7, at most {MAX_COUNT:.0e}")
    return int(number)
