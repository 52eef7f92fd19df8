"""Reading what a report is about: run folders, studies and published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.bootstrap import IntervalKind
from harness.analysis.published import read_published
from harness.analysis.tables import analyse, choose_baseline
from harness.errors import ResultsError, UserError
from harness.registry import Registry
from harness.report.changes import find_changes
from harness.report.comparison import PublishedComparison
from harness.report.context import ReportContext, StudyContext, SuiteContext
from harness.report.folders import Folder, NamedFolder
from harness.report.phases import phase_boundaries
from harness.report.plots import SuitePlots
from harness.report.seed_curves import SeedCurves
from harness.report.selection import Selection
from harness.report.warnings import incomplete_methods
from harness.runs.folder import STUDIES, RunFolder, find_runs
from harness.runs.guarded import is_folder
from harness.runs.results import Results, read_named_results, read_results
from harness.tuning.trials import STUDY_RECORD_FILE, find_study_records

if TYPE_CHECKING:
    from harness.tuning.record import StudyRecord


class ReportInputs:
    """What was read for a report, before anything is computed from it.

    Args:
        folders: Results directories, parts of them, or single runs; all of them with names, or none.
        published: Files or folders of published numbers to lay beside ours.
        baseline: The method to compare with; see `harness.analysis.tables.choose_baseline`.
        registry: What is installed; environment families say what their steps are made of.
        intervals: How intervals are made.
        selection: What of the results is shown, under which names and in which order.
        compare: Whether to say what changed from one of two folders with names to the other.
        each_seed: Whether the learning curve of every seed is drawn.

    Raises:
        ResultsError: When there is no run, or a folder or a file does not exist or cannot be used.
        UnknownNameError: When no method is called ``baseline``, or as the selection says.
        UserError: When only some folders have names, or two names are needed and there are others.
    """

    def __init__(
        self,
        folders: Sequence[Folder],
        published: Sequence[Path],
        baseline: str | None,
        registry: Registry,
        intervals: IntervalKind = "expanded",
        selection: Selection | None = None,
        *,
        compare: bool = False,
        each_seed: bool = False,
    ) -> None:
        self._intervals: IntervalKind = intervals
        self._each_seed = each_seed
        self._selection = selection or Selection()
        self._compare = compare
        _check_names(folders, compare)
        self._numbers = read_published(published) if published else []
        self._studies, self._unreadable_studies = _read_studies(folders)
        found = _read_results(folders, self._studies, registry, self._unreadable_studies)
        self._results = self._selection.apply(found) if found else None
        self._baselines: dict[str, str | None] = {}
        if self._results:
            for suite in self._results.suites:
                self._baselines[suite] = choose_baseline(
                    self._results, suite, self._selection.renamed(self._results, baseline)
                )

    def analyse(self) -> ReportContext:
        """Compute every number of the report."""
        results = self._results
        contexts = [self._suite(results, *chosen) for chosen in self._baselines.items()] if results else []
        return ReportContext(results, tuple(contexts), tuple(map(StudyContext, self._studies)), self._unreadable_studies)

    def _suite(self, results: Results, suite: str, baseline: str | None) -> SuiteContext:
        analysis = self._selection.arrange(analyse(results, suite, baseline, self._intervals), results)
        marks = dict.fromkeys(incomplete_methods(analysis), " †")
        seeds = SeedCurves(results, suite) if self._each_seed else None
        return SuiteContext(
            analysis,
            results.records,
            SuitePlots(analysis, marks, phase_boundaries(analysis, results.records), seeds),
            PublishedComparison(analysis, results.records, self._numbers) if self._numbers else None,
            find_changes(analysis, results) if self._compare else None,
            results.abandoned.filter(suite=suite),
            suite in results.planned_suites,
            [study for study in self._studies if study.suite == suite],
        )


def _check_names(folders: Sequence[Folder], compare: bool) -> None:
    names = list(dict.fromkeys(folder.name for folder in folders if isinstance(folder, NamedFolder)))
    if names and not all(isinstance(folder, NamedFolder) for folder in folders):
        raise UserError("some folders have names and others have none: name all of them, as in old=DIR new=DIR, or none")
    if compare and len(names) != 2:
        given = f"{len(names)} names" if names else "none"
        raise UserError(
            f"a comparison is of two folders with different names, as in old=DIR new=DIR --compare; there are {given}"
        )


def _read_studies(folders: Sequence[Folder]) -> tuple[list[StudyRecord], tuple[str, ...]]:
    """The records of studies, and one line for each that cannot be read."""
    files, problems = find_study_records(_path(folder) for folder in folders if not isinstance(folder, RunFolder))
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
    folders: Sequence[Folder], studies: Sequence[StudyRecord], registry: Registry, unreadable: Sequence[str]
) -> Results | None:
    """What runs there are beside those of studies; ``None`` where there are studies alone."""
    beside = [folder for folder in folders if isinstance(folder, RunFolder) or not _within_study(_path(folder))]
    if not beside:
        if not studies:
            raise ResultsError("no study that can be read: " + "; ".join(unreadable))
        return None
    try:
        return _read(beside, registry)
    except ResultsError as error:
        if studies and all(is_folder(_path(folder)) and not find_runs(_path(folder))[0] for folder in beside):
            return None
        more = [line for line in unreadable if line not in str(error)]
        raise ResultsError("; ".join([str(error), *more])) from None


def _read(folders: Sequence[Folder], registry: Registry) -> Results:
    named: dict[str, list[Path]] = {}
    plain: list[Path | RunFolder] = []
    for folder in folders:
        if isinstance(folder, NamedFolder):
            named.setdefault(folder.name, []).append(folder.path)
        else:
            plain.append(folder)
    return read_named_results(named, registry) if named else read_results(plain, registry)


def _path(folder: Folder) -> Path:
    return folder.path if isinstance(folder, RunFolder | NamedFolder) else Path(folder)


def _within_study(folder: Path) -> bool:
    """Whether a folder is that of a study that left a record, or the folder of a suite's studies that did."""
    files = find_study_records([folder])[0]
    return folder / STUDY_RECORD_FILE in files or (bool(files) and folder.resolve().name == STUDIES)
