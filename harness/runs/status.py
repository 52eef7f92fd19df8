"""The state of runs: read from their folders, and compared with a plan if there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Literal

from harness.errors import ResultsError
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder, RunRecord, find_runs
from harness.spec import RunSpec

RunState = Literal["finished", "running", "interrupted", "failed", "missing"]

RUN_STATES: tuple[RunState, ...] = ("finished", "running", "interrupted", "failed", "missing")


@dataclass(frozen=True)
class RunSummary:
    """The state of one run.

    Attributes:
        spec: Specification of the run.
        folder: Its folder, which does not exist while it is missing.
        state: ``running`` only while its process lives; ``missing`` if it was never started.
        step: Number of steps taken.
        steps_per_second: Speed of the current or last attempt; 0 when unknown.
        score: Mean return of the latest evaluation.
        error: Why it failed, in one line.
    """

    spec: RunSpec
    folder: RunFolder
    state: RunState
    step: int = 0
    steps_per_second: float = 0.0
    score: float | None = None
    error: str = ""

    @property
    def steps_left(self) -> int:
        """Steps to go; 0 once it is finished."""
        return 0 if self.state == "finished" else max(self.spec.steps - max(self.step, self.spec.first_step), 0)

    @property
    def seconds_left(self) -> float | None:
        """Time to go at the present speed; ``None`` unless it is running."""
        if self.state != "running" or self.steps_per_second <= 0:
            return None
        return self.steps_left / self.steps_per_second

    @property
    def normalised(self) -> float | None:
        """The normalised score, where the task has constants."""
        constants = self.spec.normalise
        return constants(self.score) if constants is not None and self.score is not None else None


@dataclass(frozen=True)
class RunGroup:
    """The runs of one task and method of a suite: its seeds.

    Attributes:
        suite: Name of the suite.
        task: Name of the task.
        method: Name of the method, with its digest where several configurations share the name.
        runs: Runs of the group, by seed.
    """

    suite: str
    task: str
    method: str
    runs: Sequence[RunSummary]

    def count(self, state: RunState) -> int:
        """The number of runs in this state."""
        return sum(run.state == state for run in self.runs)

    @property
    def score(self) -> float | None:
        """Mean score of the finished runs."""
        return _mean(run.score for run in self.runs if run.state == "finished")

    @property
    def normalised(self) -> float | None:
        """Mean normalised score of the finished runs."""
        return _mean(run.normalised for run in self.runs if run.state == "finished")

    @property
    def steps_per_second(self) -> float | None:
        """Mean speed of the running runs, in steps per second."""
        return _mean(run.steps_per_second for run in self.runs if run.state == "running")


def summarise_runs(roots: Iterable[Path]) -> tuple[list[RunSummary], list[str]]:
    """Every run at or below ``roots``, and one line for each folder that cannot be read.

    Raises:
        ResultsError: A root does not exist, or there is nothing in any of them.
    """
    found: dict[Path, RunSummary] = {}
    skipped: list[str] = []
    roots = list(roots)
    for root in roots:
        folders, unreadable = find_runs(root)
        skipped += unreadable
        for folder in folders:
            try:
                found[folder.path.resolve()] = _summarise(folder, folder.read())
            except ResultsError as error:  # it was replaced since it was found
                skipped.append(str(error))
    if not found and not skipped:
        where = ", ".join(map(str, roots))
        raise ResultsError(f"no runs in {where}: give a results directory, such as results/NAME, or start 'harness run'")
    return list(found.values()), skipped


def summarise_plan(specs: Iterable[RunSpec], results: Path) -> list[RunSummary]:
    """The state of each run of a plan.

    Raises:
        ResultsError: A folder of the plan holds something else than a run.
    """
    summaries: list[RunSummary] = []
    for spec in specs:
        folder = RunFolder.of(spec, results)
        if folder.record_file.exists():
            summaries.append(replace(_summarise(folder, folder.read()), spec=spec))
        else:
            summaries.append(RunSummary(spec, folder, "missing"))
    return summaries


def group_runs(summaries: Iterable[RunSummary]) -> list[RunGroup]:
    """Runs by suite, task and method, in the order in which these first appear."""
    summaries = list(summaries)
    order: dict[tuple[str, str, str, str], int] = {}
    digests: dict[tuple[str, str, str], set[str]] = {}
    for run in summaries:
        order.setdefault(_key(run), len(order))
        digests.setdefault(_key(run)[:3], set()).add(run.spec.digest)
    summaries.sort(key=lambda run: (order[_key(run)], run.spec.seed))
    grouped: list[RunGroup] = []
    for (suite, task, method, digest), runs in groupby(summaries, _key):
        name = f"{method}-{digest}" if len(digests[suite, task, method]) > 1 else method
        grouped.append(RunGroup(suite, task, name, list(runs)))
    return grouped


def seconds_left(summaries: Iterable[RunSummary]) -> float | None:
    """Time until everything is finished, if as many runs as now go on at the present speed; ``None`` if none does."""
    summaries = list(summaries)
    speed = sum(run.steps_per_second for run in summaries if run.state == "running")
    return sum(run.steps_left for run in summaries) / speed if speed > 0 else None


def _key(run: RunSummary) -> tuple[str, str, str, str]:
    return run.spec.suite, run.spec.task, run.spec.method, run.spec.digest


def _summarise(folder: RunFolder, record: RunRecord) -> RunSummary:
    status, state = record.status, folder.state(record)
    step, speed = status.step, status.steps_per_second
    if state == "running":
        step, speed = _live_progress(folder) or (step, speed)
    return RunSummary(record.spec, folder, state, step, speed, status.score, status.error or "")


def _live_progress(folder: RunFolder) -> tuple[int, float] | None:
    """Step and speed from the last row of the log, which is newer than the record."""
    _, rows = read_csv_rows(folder.progress_file)
    try:
        return int(rows[-1]["time/total_timesteps"]), float(rows[-1]["time/fps"])
    except (IndexError, KeyError, ValueError):
        return None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
