"""Plans, carried out or forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ResultsError
from harness.execution.events import Outcome
from harness.execution.stopping import StopRequest
from harness.experiment.outcomes import OnEvent, PathLike, PlanStarted, RunResult, ignore

if TYPE_CHECKING:
    from harness.execution.forecast import Forecast
    from harness.planning.plan import Plan
    from harness.registry import Registry
    from harness.runs.status import RunSummary


def plan(
    suite: PathLike,
    *,
    profile: str | None = None,
    overrides: Iterable[tuple[str, str]] = (),
    methods: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    seeds: str | Sequence[int] | None = None,
    steps: int | str | None = None,
    registry: Registry | None = None,
) -> Plan:
    """The plan of a suite file; see `harness.planning.load.load` for the arguments.

    Raises:
        SuiteError: Something in the suite is wrong; one line for each mistake.
    """
    from harness.planning.load import load

    return load(
        suite, profile=profile, overrides=overrides, methods=methods, tasks=tasks, seeds=seeds, steps=steps, registry=registry
    )


def run(
    plan: Plan,
    results: PathLike = "results",
    *,
    executor: str = "local",
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
    wait: bool = True,
    trackers: Sequence[str] = (),
    on_event: OnEvent | None = None,
    stop: StopRequest | None = None,
) -> RunResult:
    """Train the runs of a plan that are not finished; interrupted ones go on where they were.

    Args:
        plan: The plan to carry out.
        results: The results directory.
        executor: Name of the executor.
        workers: Number of runs at a time; ``None`` for as many as the executor thinks right.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: Whether everything is started over; what the runs left is deleted.
        wait: Whether runs that other processes have are waited for, and trained here if their owners die; otherwise they are
            left alone.
        trackers: Names of trackers that follow the runs, beside those that the suite names. No run depends on them.
        on_event: Takes `PlanStarted`, unless there is nothing to do, and then the events of the runs, in this thread.
        stop: Once it is made, from a signal handler or another thread, every run saves at its next update and stops, and no
            other is started.

    Raises:
        UserError: Executor, snapshots, device or results directory cannot be used; nothing was started.
        KeyboardInterrupt: The runs under way were stopped at once, and go on from their last checkpoints.
            `harness.execution.executor.Detached`, a subclass, says that they go on elsewhere.
    """
    from harness.execution.carry import execute_plan
    from harness.execution.executor import ExecutionOptions, load_executor
    from harness.planning.recorded import record_suite, suite_names
    from harness.planning.snapshots import resolve_snapshots
    from harness.runs.beside import Beside
    from harness.runs.plans import try_to_record
    from harness.runs.status import read_plan

    carrier, results, send = load_executor(executor, plan.registry), Path(results), on_event or ignore
    config, followed = plan.executor_config(executor), plan.tracker_settings(trackers)
    asked, plan = plan, resolve_snapshots(plan)
    _refuse_file(results)
    summaries = _summarise(plan, results, fresh=fresh)
    todo = [run.spec for run in summaries if run.state != "finished"]
    stall = plan.suite.stall_seconds
    options = ExecutionOptions(results, workers, device, fresh, stop or StopRequest(), stall, config, wait, followed)
    options = carrier.preflight(todo, options) if todo else options
    beside = Beside(plan.runs, results)
    notices = beside.update_constants()
    outcomes: list[Outcome] = []
    try_to_record(plan.runs, results, suite_names(asked), only_change=not todo)
    if todo:
        record_suite(asked, results)
        send(PlanStarted(summaries))
        outcomes = execute_plan(carrier, todo, options, send)
    found = read_plan(plan.runs, results)
    notices += [*found.notices, *beside.other_settings()]
    return RunResult(plan, results, outcomes, found.runs, found.unreadable, notices, found.fingerprint, followed)


def forecast(
    plan: Plan,
    results: PathLike = "results",
    *,
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
) -> Forecast:
    """What the runs of a plan will take on this machine: each method is measured for a few seconds, nothing is written.

    The arguments are those of `run`. It measures in new processes of the caller's kind, so a script must call it below
    ``if __name__ == "__main__":``.
    """
    from harness.execution import forecast as forecasts
    from harness.execution.instructions import bf16_notice
    from harness.execution.measuring import measure
    from harness.planning.snapshots import resolve_snapshots

    summaries = _summarise(resolve_snapshots(plan), Path(results), fresh=fresh)
    found = forecasts.forecast(summaries, lambda spec: measure(spec, device), workers)
    notice = bf16_notice([run.spec for run in summaries if run.state != "finished"], device)
    return replace(found, notices=(notice,)) if notice else found


def _refuse_file(results: Path) -> None:
    there = next(place for place in (results, *results.absolute().parents) if place.exists())
    if not there.is_dir():
        raise ResultsError(f"{results}: cannot be written: {there} is a file, and results need a folder")


def _summarise(plan: Plan, results: Path, *, fresh: bool) -> list[RunSummary]:
    from harness.runs.folder import RunFolder
    from harness.runs.status import RunSummary, refuse_unusable, summarise_plan

    if fresh:  # whatever is there is going to be deleted, so it need not even be readable
        runs = [RunSummary(spec, RunFolder.of(spec, results), "missing") for spec in plan.runs]
        refuse_unusable(run.folder for run in runs)
        return runs
    return summarise_plan(plan.runs, results)
