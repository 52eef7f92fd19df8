"""The state of runs: read from their folders, and compared with a plan if there is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Literal

from harness.errors import ResultsError
from harness.runs.collection import Collection, CollectionReader
from harness.runs.folder import RunFolder, RunRecord
from harness.runs.guarded import Unreadable
from harness.runs.jobs import SubmittedJob
from harness.runs.naming import label_runs
from harness.runs.notices import describe
from harness.runs.owner import Owner
from harness.runs.reading import NO_CONSTANTS, CollectedRun, TaskConstants
from harness.spec import RunSpec

RunState = Literal["finished", "running", "interrupted", "failed", "missing"]

RUN_STATES: tuple[RunState, ...] = ("finished", "running", "interrupted", "failed", "missing")

_MAX_PROBLEMS = 10


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
        label: The method's name, and what differs where several configurations share it; empty for the plain name.
        constants: What scores of its task are normalised with.
        holder: The living process that has the run, as far as one can tell; ``None`` for nobody.
        since: Start of the current or last attempt, ISO 8601 in UTC; empty when unknown.
        updated: Last change of its record, ISO 8601 in UTC; empty when unknown.
        job: The last job that was submitted for it, unless it is finished; ``None`` where no executor submitted one.
    """

    spec: RunSpec
    folder: RunFolder
    state: RunState
    step: int = 0
    steps_per_second: float = 0.0
    score: float | None = None
    error: str = ""
    label: str = ""
    constants: TaskConstants = NO_CONSTANTS
    holder: Owner | None = None
    since: str = ""
    updated: str = ""
    job: SubmittedJob | None = None

    @property
    def method(self) -> str:
        """The method's label."""
        return self.label or self.spec.method

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
        return self.constants.normalise(self.score)


@dataclass(frozen=True)
class RunGroup:
    """The runs of one task and method of a suite: its seeds.

    Attributes:
        suite: Name of the suite.
        task: Name of the task.
        method: Label of the method: its name, and what differs where several configurations share it.
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


@dataclass(frozen=True)
class RunsReading:
    """The state of runs, with what a reader of it must know.

    Attributes:
        runs: The state of each run that counts, and of each that there should be.
        unreadable: One line for each thing that could not be read.
        superseded: Folders of runs that others supersede: the same task, method and seed under other settings.
        notices: What must be known before trusting a number, a sentence each.
        collection: The reading of their folders that this is a view of.
        refused: One line for each thing in the way of carrying a plan out.
    """

    runs: Sequence[RunSummary]
    unreadable: Sequence[str]
    superseded: Sequence[RunFolder]
    notices: Sequence[str]
    collection: Collection
    refused: Sequence[str] = ()

    @property
    def fingerprint(self) -> str:
        """What a report on the runs depends on, as a digest."""
        return self.collection.fingerprint

    def refuse_if_unusable(self) -> None:
        """Refuse to carry a plan out over what cannot be read, cannot be written, or is another run's.

        Raises:
            ResultsError: Something is in the way; names it.
        """
        _refuse(self.refused)


def read_runs_below(roots: Iterable[Path]) -> RunsReading:
    """The state of every run at or below ``roots``, and of each that plans asked for.

    Raises:
        ResultsError: A root does not exist, or there is nothing in any of them.
    """
    roots = list(roots)
    found = StatusReader().below(roots)
    refuse_if_nothing(found.runs, found.unreadable, roots)
    return found


def refuse_if_nothing(runs: Sequence[RunSummary], unreadable: Sequence[str], roots: Iterable[Path]) -> None:
    """Refuse places in which there is neither a run nor anything that cannot be read.

    Raises:
        ResultsError: There is nothing.
    """
    if not runs and not unreadable:
        where = ", ".join(map(str, roots))
        raise ResultsError(f"no runs in {where}: give a results directory, such as results/NAME, or start 'harness run'")


def read_plan(specs: Sequence[RunSpec], results: Path) -> RunsReading:
    """The state of each run of a plan; one whose folder cannot be read, or holds another run, counts as missing."""
    return StatusReader().of_plan(specs, results)


class StatusReader:
    """Reads the state of runs, and at every look after the first only what has changed since."""

    def __init__(self) -> None:
        self._reader = CollectionReader()
        self._view: _View | None = None
        self._labels: Mapping[str, str] | None = None

    def below(self, roots: Iterable[Path]) -> RunsReading:
        """The state of every run at or below ``roots``, and of each that plans asked for.

        Raises:
            ResultsError: A root does not exist.
        """
        found = self._reader.below(roots)
        view = self._view_of(found)
        return RunsReading(
            [*map(self._summarise, found.current), *view.absent], found.unreadable, view.superseded, view.notices, found
        )

    def of_plan(self, specs: Sequence[RunSpec], results: Path) -> RunsReading:
        """The state of each run of a plan, the same at every look; see `read_plan`."""
        found: dict[str, CollectedRun] = {}
        unreadable: list[str] = []
        refused: list[str] = []
        for spec in specs:
            folder = RunFolder.of(spec, results)
            try:
                if folder.started:
                    run, problems = self._reader.runs.read(folder, spec)
                    found[run.name] = run
                    unreadable += problems
                    refused += problems if run.state != "finished" else []
                if folder.path.as_posix() not in found or found[folder.path.as_posix()].state != "finished":
                    folder.check_usable()
            except Unreadable as error:
                unreadable.append(str(error))
                refused.append(str(error))
        collection = self._reader.arrange(found.values(), unreadable)
        runs = self._planned(specs, results, collection)
        notices = self._view_of(collection).notices
        return RunsReading(runs, collection.unreadable, (), notices, collection, list(dict.fromkeys(refused)))

    def _planned(self, specs: Sequence[RunSpec], results: Path, found: Collection) -> list[RunSummary]:
        by_name = {run.name: run for run in found.runs}
        if self._labels is None:
            self._labels = _labels(specs)
        runs: list[RunSummary] = []
        for spec in specs:
            folder = RunFolder.of(spec, results)
            run = by_name.get(folder.path.as_posix())
            summary = RunSummary(spec, folder, "missing") if run is None else replace(self._summarise(run), spec=spec)
            runs.append(replace(summary, label=self._labels.get(spec.path, spec.method)))
        return runs

    def _view_of(self, found: Collection) -> _View:
        if self._view is None or self._view.of is not found:
            superseded = [run.folder for run in found.runs if run.superseded]
            self._view = _View(found, _absent(found), superseded, describe(found))
        return self._view

    def _summarise(self, run: CollectedRun) -> RunSummary:
        status, attempts = run.record.status, run.record.attempts
        step, speed = status.step, status.steps_per_second
        if run.state == "running":
            step, speed = self._reader.runs.progress(run.folder) or (step, speed)
        return RunSummary(
            run.spec,
            run.folder,
            run.state,
            step,
            speed,
            run.latest_score,
            status.error or "",
            run.label,
            run.constants,
            run.holder,
            attempts[-1].started if attempts else status.started,
            status.updated,
        )


@dataclass(frozen=True)
class _View:
    """What takes long to find out, and follows from a collection alone."""

    of: Collection
    absent: Sequence[RunSummary]
    superseded: Sequence[RunFolder]
    notices: Sequence[str]


def _labels(specs: Iterable[RunSpec]) -> dict[str, str]:
    """The labels of a plan's runs, by their paths: as if all of them had left records."""
    return label_runs(
        {
            spec.path: RunRecord.model_construct(spec=spec, method_digest=spec.method_digest)
            for spec in specs
            if not spec.pretraining
        }
    )


def summarise_plan(specs: Iterable[RunSpec], results: Path) -> list[RunSummary]:
    """The state of each run of a plan that is about to be carried out.

    Raises:
        ResultsError: Some of their folders cannot be read or written, or hold other runs; names them.
    """
    found = read_plan(list(specs), results)
    found.refuse_if_unusable()
    return list(found.runs)


def refuse_unusable(folders: Iterable[RunFolder]) -> None:
    """Refuse folders in which no run could be kept, whatever they hold.

    Raises:
        ResultsError: Some cannot be written; names them.
    """
    problems: dict[str, None] = {}
    for folder in folders:
        try:
            folder.check_usable()
        except Unreadable as error:
            problems[str(error)] = None
    _refuse(list(problems))


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        left = len(problems) - _MAX_PROBLEMS
        more = [f"and {left} more like these"] if left > 0 else []
        raise ResultsError("\n".join([*problems[:_MAX_PROBLEMS], *more]))


def group_runs(summaries: Iterable[RunSummary]) -> list[RunGroup]:
    """Runs by suite, task and method, in the order in which these first appear."""
    summaries = list(summaries)
    order: dict[tuple[str, str, str], int] = {}
    for run in summaries:
        order.setdefault(_key(run), len(order))
    summaries.sort(key=lambda run: (order[_key(run)], run.spec.seed))
    return [RunGroup(*key, list(runs)) for key, runs in groupby(summaries, _key)]


def seconds_left(summaries: Iterable[RunSummary]) -> float | None:
    """Time until everything is finished, if as many runs as now go on at the present speed; ``None`` if none does."""
    summaries = list(summaries)
    speed = sum(run.steps_per_second for run in summaries if run.state == "running")
    return sum(run.steps_left for run in summaries) / speed if speed > 0 else None


def _key(run: RunSummary) -> tuple[str, str, str]:
    return run.spec.suite, run.spec.task, run.method


def _absent(found: Collection) -> list[RunSummary]:
    """Runs that some plan asked for, and that never began."""
    absent: list[RunSummary] = []
    for one in found.missing:
        suite, task, label, _ = one.key
        constants = found.tasks[suite, task]
        absent.append(RunSummary(one.planned.spec, one.planned.folder, "missing", label=label, constants=constants))
    return absent


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
