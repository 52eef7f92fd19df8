"""Runs by what is to be said of them: who is at work, what failed, what waits, and how far each method is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from harness.errors import printable
from harness.experiment import StatusResult
from harness.runs.jobs import SubmittedJob
from harness.runs.status import RUN_STATES, RunGroup, RunState, RunSummary, group_runs

Activity = Literal["running", "starting", "interrupted", "failed", "missing", "finished"]
"""The state of a run, or ``starting`` while somebody has it who has not said yet that it trains."""

_MAX_NAME = 120
_MAX_HOST = 60
_MAX_ERROR = 400


@dataclass(frozen=True)
class RunLine:
    """One run, in words that can be shown anywhere: without control characters, and of bounded length.

    Attributes:
        name: Task, method and seed, after the suite where there are several.
        activity: State of the run.
        share: Part of its steps that is done, from 0 to 1.
        step: Number of steps taken.
        steps: Steps of the whole run.
        steps_per_second: Speed at present; ``None`` unless it is running.
        seconds_left: Time to go at that speed; ``None`` when unknown.
        score: Mean return of the latest evaluation; ``None`` before the first.
        normalised: Normalised score, where the task has constants.
        holder: The process that has it, such as ``pid 4711 on node3``; empty for nobody.
        job: The job that it was submitted as, such as ``slurm 12_3``; empty for none.
        since: Start of the current or last attempt, in local time; ``None`` when unknown.
        error: The cause of its failure, in one line; empty unless it failed.
    """

    name: str
    activity: Activity
    share: float
    step: int
    steps: int
    steps_per_second: float | None
    seconds_left: float | None
    score: float | None
    normalised: float | None
    holder: str
    job: str
    since: datetime | None
    error: str

    @property
    def held_by(self) -> str:
        """Process and job in one."""
        return ", ".join(part for part in (self.holder, self.job) if part)


@dataclass(frozen=True)
class StatusView:
    """Everything that a live view shows.

    Attributes:
        counts: Number of runs in each state that occurs.
        seconds_left: Time until everything is finished at the present speed; ``None`` when nothing is running.
        active: Runs that somebody has, those that train first.
        failed: Runs that failed and that nobody has.
        waiting: Runs that nobody has and that are not finished, interrupted ones first.
        finished: Runs that are finished.
        queued: Names of runs that were submitted as jobs and of which nothing else is known yet, each with its job.
        groups: Runs by suite, task and method.
        several_suites: Whether the runs are of more than one suite.
        notices: What must be known before trusting a number, a sentence each.
        unreadable: One line for each thing that could not be read.
    """

    counts: dict[RunState, int]
    seconds_left: float | None
    active: Sequence[RunLine]
    failed: Sequence[RunLine]
    waiting: Sequence[RunLine]
    finished: Sequence[RunLine]
    queued: Sequence[tuple[str, str]]
    groups: Sequence[RunGroup]
    several_suites: bool
    notices: Sequence[str]
    unreadable: Sequence[str]

    @property
    def number(self) -> int:
        """The number of all runs."""
        return sum(self.counts.values())


def view(found: StatusResult) -> StatusView:
    """What there is to be said of the runs of one look."""
    several = len({run.spec.suite for run in found.runs}) > 1
    lines = [_line(run, several) for run in found.runs]
    known = {run.job for run in found.runs if run.job}
    by = {activity: [line for line in lines if line.activity == activity] for activity in {line.activity for line in lines}}
    return StatusView(
        counts={state: number for state in RUN_STATES if (number := sum(run.state == state for run in found.runs))},
        seconds_left=found.seconds_left,
        active=[*by.get("running", []), *by.get("starting", [])],
        failed=by.get("failed", []),
        waiting=[*by.get("interrupted", []), *by.get("missing", [])],
        finished=by.get("finished", []),
        queued=[(printable(job.run, _MAX_NAME), job_name(job)) for job in found.jobs if job not in known],
        groups=group_runs(found.runs),
        several_suites=several,
        notices=found.notices,
        unreadable=found.skipped,
    )


def job_name(job: SubmittedJob | None) -> str:
    """Executor and job, as the scheduler's own commands know it; empty for none."""
    return printable(f"{job.executor} {job.job}", _MAX_HOST) if job else ""


def local_time(text: str) -> datetime | None:
    """A time that a record tells, in this machine's zone; ``None`` where it tells none."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _line(run: RunSummary, several_suites: bool) -> RunLine:
    suite = f"{run.spec.suite}/" if several_suites else ""
    starting = run.holder is not None and run.state not in ("running", "finished")
    activity: Activity = "starting" if starting else run.state
    return RunLine(
        name=printable(f"{suite}{run.spec.task}/{run.method}/seed-{run.spec.seed}", _MAX_NAME),
        activity=activity,
        share=1.0 if run.state == "finished" else min(run.step / run.spec.steps, 1.0),
        step=run.step,
        steps=run.spec.steps,
        steps_per_second=run.steps_per_second or None if run.state == "running" else None,
        seconds_left=run.seconds_left,
        score=run.score,
        normalised=run.normalised,
        holder=printable(f"pid {run.holder.pid} on {run.holder.host}", _MAX_HOST) if run.holder else "",
        job=job_name(run.job),
        since=local_time(run.since) if run.since else None,
        error=printable(run.error, _MAX_ERROR) if activity == "failed" else "",
    )
