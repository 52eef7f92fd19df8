"""What the sections of a report are built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from harness.analysis.tables import Analysis
from harness.report.changes import Changes
from harness.report.comparison import PublishedComparison
from harness.report.drawing import Style
from harness.report.plots import SuitePlots
from harness.runs.results import Results, RunRecords

if TYPE_CHECKING:
    from harness.tuning.record import StudyRecord  # loads Optuna, which a report without studies does not need


@dataclass(frozen=True)
class SuiteContext:
    """One suite of the results.

    Attributes:
        analysis: Every number of the suite, as tables; `harness.analysis.tables.Analysis` says which.
        records: The full record of each run (specification, provenance, status), by folder.
        plots: The figures of the suite, and how its methods are drawn.
        comparison: Published numbers beside the suite's own; ``None`` where the report was asked for none.
        changes: What changed from one folder to another; ``None`` where the report was not asked for that.
        abandoned: One row per dead run of abandoned settings, which counts nowhere; see `harness.runs.planned`.
        plan_recorded: Whether it is known what was asked for, so that runs which never began are missing.
        studies: The studies of the suite.
    """

    analysis: Analysis
    records: RunRecords
    plots: SuitePlots
    comparison: PublishedComparison | None = None
    changes: Changes | None = None
    abandoned: pl.DataFrame = field(default_factory=pl.DataFrame)
    plan_recorded: bool = True
    studies: Sequence[StudyRecord] = ()

    @property
    def styles(self) -> Mapping[str, Style]:
        """How each method is drawn, by label."""
        return self.plots.styles


@dataclass(frozen=True)
class StudyContext:
    """One study of the results.

    Attributes:
        record: Its settings, its trials, and the runs that confirmed them.
    """

    record: StudyRecord


@dataclass(frozen=True)
class ReportContext:
    """Everything that a report is about.

    Attributes:
        results: What was read from run folders; ``None`` where there are only studies.
        suites: One context for each suite, in alphabetical order.
        studies: One context for each study.
        unreadable_studies: One line for each study whose record cannot be read.
    """

    results: Results | None
    suites: tuple[SuiteContext, ...]
    studies: tuple[StudyContext, ...]
    unreadable_studies: tuple[str, ...] = ()

    @property
    def skipped(self) -> tuple[str, ...]:
        """One line for each thing that was passed over while results were read."""
        return tuple(dict.fromkeys((*(self.results.skipped if self.results else ()), *self._training_problems)))

    @property
    def unreadable(self) -> tuple[str, ...]:
        """One line for each thing that could not be read."""
        return tuple(dict.fromkeys((*(self.results.unreadable if self.results else ()), *self._training_problems)))

    @property
    def _training_problems(self) -> tuple[str, ...]:
        """One line for each study, and each file about training, that could not be used."""
        return (*self.unreadable_studies, *(line for suite in self.suites for line in suite.analysis.training_problems))
