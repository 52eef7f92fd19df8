"""What became of runs, as the functions of `harness.experiment` return it, and what these accept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.errors import ResultsError
from harness.execution.events import Outcome, RunEvent

if TYPE_CHECKING:
    import polars as pl

    from harness.planning.plan import Plan
    from harness.report.folders import NamedFolder
    from harness.runs.folder import RunFolder
    from harness.runs.jobs import SubmittedJob
    from harness.runs.status import RunSummary
    from harness.tuning.search import TuneResult

PathLike = Path | str


@dataclass(frozen=True)
class PlanStarted:
    """Everything was checked, and runs are about to be started.

    Attributes:
        runs: The state of every run of the plan, finished ones included.
    """

    runs: Sequence[RunSummary]


Reportable: TypeAlias = "RunResult | TuneResult | PathLike | Iterable[PathLike | NamedFolder] | Mapping[str, PathLike]"
"""What a report may be about: what `run` or `tune` returned, or results directories, with names or without."""


OnEvent = Callable[[PlanStarted | RunEvent], None]


@dataclass(frozen=True)
class RunResult:
    """What became of a plan.

    Attributes:
        plan: The plan, with its snapshots resolved.
        results: The results directory.
        outcomes: How each run ended that this call had to train; empty if all were finished before.
        runs: The state of every run of the plan afterwards.
        unreadable: One line for each thing of theirs that cannot be read.
        notices: What must be known before trusting a number, a sentence each.
        fingerprint: What a report on the runs depends on, as a digest.
        trackers: Settings of the trackers that followed the runs, as JSON, by name.
    """

    plan: Plan
    results: Path
    outcomes: Sequence[Outcome]
    runs: Sequence[RunSummary]
    unreadable: Sequence[str] = ()
    notices: Sequence[str] = ()
    fingerprint: str = ""
    trackers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    @property
    def failed(self) -> Sequence[Outcome]:
        """The runs that failed in this call."""
        return [outcome for outcome in self.outcomes if outcome.ending == "failed"]

    @property
    def finished(self) -> bool:
        """Whether every run of the plan is finished, by whomever, and can be read."""
        return all(run.state == "finished" for run in self.runs) and not self.unreadable

    @property
    def interrupted(self) -> Sequence[Outcome]:
        """The runs that were stopped in this call, or not even started because of that."""
        return [outcome for outcome in self.outcomes if outcome.ending == "interrupted"]

    @property
    def folder(self) -> Path:
        """The folder of the suite's results."""
        return self.results / self.plan.suite.suite

    def scores(self) -> pl.DataFrame:
        """One row for each run of the plan: its state, and its score if it is finished; columns as of `harness.read_runs`."""
        from harness.runs.tables import runs_of

        return runs_of(run.folder for run in self.runs)

    def evaluations(self) -> pl.DataFrame:
        """One row for each evaluation of each run of the plan; columns as of `harness.read_evaluations`."""
        from harness.runs.tables import evaluations_of

        return evaluations_of(run.folder for run in self.runs)

    def progress(self) -> pl.DataFrame:
        """One row for each row of each log of training of the plan's runs; columns as of `harness.read_progress`."""
        from harness.runs.tables import progress_of

        return progress_of(run.folder for run in self.runs)

    @property
    def reportable(self) -> Sequence[Path]:
        """The folders of the runs that have left anything; empty if none of them has a score to report."""
        there = [run for run in self.runs if _left_something(run.folder)]
        return [] if all(run.spec.pretraining for run in there) else [run.folder.path for run in there]


@dataclass(frozen=True)
class StatusResult:
    """The state of runs.

    Attributes:
        runs: The state of each run that counts; without a plan, also of those that recorded plans asked for.
        skipped: One line for each thing that cannot be read.
        seconds_left: Time until everything is finished at the present speed; ``None`` if nothing is running.
        superseded: Folders of runs that count nowhere, since others hold the same task, method and seed.
        notices: What must be known before trusting a number, a sentence each.
        jobs: The last job that was submitted for each run that is not finished, where an executor submits jobs.
    """

    runs: Sequence[RunSummary]
    skipped: Sequence[str]
    seconds_left: float | None
    superseded: Sequence[Path] = ()
    notices: Sequence[str] = ()
    jobs: Sequence[SubmittedJob] = ()


@dataclass(frozen=True)
class ReportResult:
    """A report that was written.

    Attributes:
        file: The file to open first.
        unreadable: One line for each thing that could not be read; the report names them too.
        unchanged: Whether it was there already, and would be the same if it were made again.
    """

    file: Path
    unreadable: Sequence[str] = ()
    unchanged: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the report."""
        return self.file.parent


def _left_something(folder: RunFolder) -> bool:
    """Whether a run's folder holds a record; where nobody may look, the report is to say so."""
    try:
        return folder.started
    except ResultsError:
        return True


def roots_of(results: PathLike | Iterable[PathLike]) -> list[Path]:
    return [Path(results)] if isinstance(results, str | Path) else [Path(root) for root in results]


def ignore(event: object) -> None:
    """Nobody listens."""
