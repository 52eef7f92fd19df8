"""The state of runs, and the removal of abandoned ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ResultsError
from harness.experiment.outcomes import PathLike, StatusResult, roots_of

if TYPE_CHECKING:
    from harness.planning.plan import Plan
    from harness.runs.jobs import SubmittedJob
    from harness.runs.pruning import DeadRun, Pruned
    from harness.runs.status import RunSummary


def status(results: PathLike | Iterable[PathLike], plan: Plan | None = None) -> StatusResult:
    """The state of the runs in results directories.

    Args:
        results: One or more results directories, or parts of them.
        plan: The plan to compare with, so that missing runs show; its runs are looked for in the first directory.

    Raises:
        UserError: A directory does not exist, there is nothing in any of them, or a snapshot of the plan cannot be used.
    """
    from harness.runs.status import refuse_if_nothing

    reader = StatusReader(results, plan)
    found = reader.look()
    if plan is None and not found.jobs:  # with jobs, it is only that no run has begun
        refuse_if_nothing(found.runs, found.skipped, reader.roots)
    return found


class StatusReader:
    """Reads the state of runs again and again, and at each look after the first only what has changed since.

    Nothing is ever written.

    Args:
        results: One or more results directories, or parts of them.
        plan: The plan to compare with, so that missing runs show; its runs are looked for in the first directory.

    Attributes:
        roots: The results directories.

    Raises:
        UserError: A snapshot of the plan cannot be used.
    """

    def __init__(self, results: PathLike | Iterable[PathLike], plan: Plan | None = None) -> None:
        from harness.planning.snapshots import resolve_snapshots
        from harness.runs.jobs import JobsReader
        from harness.runs.status import StatusReader as RunsReader

        self.roots = roots_of(results)
        self._plan = resolve_snapshots(plan) if plan else None
        self._runs, self._jobs = RunsReader(), JobsReader()
        self._beside: tuple[object, Sequence[str]] | None = None

    def look(self) -> StatusResult:
        """The state of the runs now; without a plan, of none where none has begun.

        Raises:
            ResultsError: A directory does not exist.
        """
        from harness.runs.guarded import is_folder
        from harness.runs.status import seconds_left

        notices: Sequence[str] = ()
        if self._plan is None:
            found = self._runs.below(self.roots)
        else:
            for root in self.roots:
                if not is_folder(root):
                    raise ResultsError(f"{root}: no such results directory")
            base = self.roots[0].parent if self.roots[0].name == self._plan.suite.suite else self.roots[0]
            found = self._runs.of_plan(self._plan.runs, base)
            notices = self._notices_beside(self._plan, base, found.collection)
        runs, jobs = self._with_jobs(found.runs)
        superseded = [folder.path for folder in found.superseded]
        return StatusResult(runs, found.unreadable, seconds_left(runs), superseded, [*found.notices, *notices], jobs)

    def _notices_beside(self, plan: Plan, base: Path, found: object) -> Sequence[str]:
        """What lies beside the runs of the plan, looked for again where these have changed."""
        from harness.runs.beside import Beside

        if self._beside is None or self._beside[0] is not found:
            beside = Beside(plan.runs, base)
            self._beside = found, [*beside.outdated(), *beside.other_settings()]
        return self._beside[1]

    def _with_jobs(self, runs: Sequence[RunSummary]) -> tuple[Sequence[RunSummary], Sequence[SubmittedJob]]:
        """The runs with their jobs, and all jobs of runs that are not finished, in the order of submission."""
        jobs = self._jobs.below(self.roots)
        if not jobs:
            return runs, []
        folders = [run.folder.path.resolve() for run in runs]
        for run, folder in zip(runs, folders, strict=True):
            if run.state == "finished":
                jobs.pop(folder, None)
        return [replace(run, job=jobs.get(folder)) for run, folder in zip(runs, folders, strict=True)], list(jobs.values())


def prune(
    results: PathLike | Iterable[PathLike],
    confirm: Callable[[Sequence[DeadRun]], bool],
    confirm_dropped: Callable[[Sequence[DeadRun]], bool] | None = None,
) -> Pruned:
    """Remove unfinished runs whose settings were abandoned: their task and method were asked for under others since.

    Finished runs of abandoned settings stay, and so does every run that a process holds. Runs of methods and tasks that were
    dropped from their suite, finished ones among them, are looked for only with ``confirm_dropped``.

    Args:
        results: One or more results directories, or parts of them.
        confirm: Takes what would be removed, if there is anything, and says whether it is to be.
        confirm_dropped: Takes the runs that no plan asks for any more, if there are any, and says whether they are to be
            removed.

    Raises:
        ResultsError: A directory does not exist.
    """
    from harness.runs.pruning import prune_below

    return prune_below(roots_of(results), confirm, confirm_dropped)
