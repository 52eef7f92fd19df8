"""Reading what a report is about: run folders, studies and published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.bootstrap import IntervalKind
from harness.analysis.published import PublishedNumber, read_published
from harness.analysis.tables import analyse, choose_baseline
from harness.errors import ResultsError
from harness.registry import Registry
from harness.report.comparison import PublishedComparison
from harness.report.context import ReportContext, StudyContext, SuiteContext
from harness.report.phases import phase_boundaries
from harness.report.plots import SuitePlots
from harness.report.warnings import incomplete_methods
from harness.runs.folder import STUDIES, RunFolder, find_runs
from harness.runs.guarded import is_folder
from harness.runs.results import Results, read_results
from harness.tuning.trials import STUDY_RECORD_FILE, find_study_records

if TYPE_CHECKING:
    from harness.tuning.record import StudyRecord


class ReportInputs:
    """What was read for a report, before anything is computed from it.

    Args:
        folders: Results directories, parts of them, or single runs.
        published: Files or folders of published numbers to lay beside ours.
        baseline: The method to compare with; see `harness.analysis.tables.choose_baseline`.
        registry: What is installed; environment families say what their steps are made of.
        intervals: How intervals are made.

    Raises:
        ResultsError: When there is no run, or a folder or a file does not exist or cannot be used.
        UnknownNameError: When no method is called ``baseline``.
    """

    def __init__(
        self,
        folders: Sequence[Path | RunFolder],
        published: Sequence[Path],
        baseline: str | None,
        registry: Registry,
        intervals: IntervalKind = "expanded",
    ) -> None:
        self._intervals: IntervalKind = intervals
        self._numbers = read_published(published) if published else []
        self._studies, self._unreadable_studies = _read_studies(folders)
        self._results = _read_results(folders, self._studies, registry, self._unreadable_studies)
        found = self._results
        self._baselines = {suite: choose_baseline(found, suite, baseline) for suite in found.suites} if found else {}

    def analyse(self) -> ReportContext:
        """Compute every number of the report."""
        found, suites = self._results, self._baselines.items()
        contexts = [_suite(found, *chosen, self._intervals, self._numbers) for chosen in suites] if found else []
        return ReportContext(self._results, tuple(contexts), tuple(map(StudyContext, self._studies)), self._unreadable_studies)


def _suite(
    results: Results, suite: str, baseline: str | None, intervals: IntervalKind, numbers: Sequence[PublishedNumber]
) -> SuiteContext:
    analysis = analyse(results, suite, baseline, intervals)
    marks = dict.fromkeys(incomplete_methods(analysis), " †")
    plots = SuitePlots(analysis, marks, phase_boundaries(analysis, results.records))
    comparison = PublishedComparison(analysis, results.records, numbers) if numbers else None
    return SuiteContext(analysis, results.records, plots, comparison)


def _read_studies(folders: Sequence[Path | RunFolder]) -> tuple[list[StudyRecord], tuple[str, ...]]:
    """The records of studies, and one line for each that cannot be read."""
    files, problems = find_study_records(folder for folder in folders if not isinstance(folder, RunFolder))
    if not files:
        return [], tuple(problems)
    from harness.tuning.record import read_study_record  # loads Optuna, which a report without studies does not need

    studies: list[StudyRecord] = []
    for file in files:
        try:
            studies.append(read_study_record(file))
        except ResultsError as error:
            problems.append(str(error))
    return studies, tuple(problems)


def _read_results(
    folders: Sequence[Path | RunFolder], studies: Sequence[StudyRecord], registry: Registry, unreadable: Sequence[str]
) -> Results | None:
    """What runs there are beside those of studies; ``None`` where there are studies alone."""
    beside = [folder for folder in folders if isinstance(folder, RunFolder) or not _within_study(folder)]
    if not beside:
        if not studies:
            raise ResultsError("no study that can be read: " + "; ".join(unreadable))
        return None
    try:
        return read_results(beside, registry)
    except ResultsError as error:
        if studies and all(is_folder(_path(folder)) and not find_runs(_path(folder))[0] for folder in beside):
            return None
        more = [line for line in unreadable if line not in str(error)]
        raise ResultsError("; ".join([str(error), *more])) from None


def _path(folder: Path | RunFolder) -> Path:
    return folder.path if isinstance(folder, RunFolder) else Path(folder)


def _within_study(folder: Path) -> bool:
    """Whether a folder is that of a study that left a record, or the folder of a suite's studies that did."""
    files = find_study_records([folder])[0]
    return folder / STUDY_RECORD_FILE in files or (bool(files) and folder.resolve().name == STUDIES)
