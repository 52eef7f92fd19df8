"""What stands above the sections of a report: one sentence, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from harness.report.context import ReportContext, StudyContext
from harness.report.wording import join_names
from harness.runs.results import Results

_NAMED = 4  # suites and studies in the heading

KeyFigures = tuple[tuple[str, str], ...]
"""Numbers that say how much there is, each with its name."""


def summarise_report(report: ReportContext) -> tuple[str, KeyFigures]:
    """The sentence under the title, and the key figures beside it."""
    if report.results is None:
        return _study_subtitle(report.studies), _study_figures(report.studies)
    return _subtitle(report.results), _run_figures(report.results)


def title_of(report: ReportContext) -> str:
    """The heading of the page: what it is about, so that windows, bookmarks and printed pages can be told apart."""
    suites = report.results.suites if report.results else ()
    studies = [f"study {study.record.name}" for study in report.studies]
    return f"{join_names([*suites, *studies], _NAMED)}: exploration report"


def _run_figures(results: Results) -> KeyFigures:
    runs = results.runs.filter(~pl.col("superseded"))
    finished = runs.filter(state="finished")
    counts = {
        "suite": runs["suite"].n_unique(),
        "task": runs.select("suite", "task").n_unique(),
        "method": runs.select("suite", "label").n_unique(),
        "seed": runs["seed"].n_unique(),
    }
    figures = [(f"{n}", thing if n == 1 else f"{thing}s") for thing, n in counts.items() if n > 1 or thing != "suite"]
    return (*figures, (f"{len(finished)} of {len(runs)}", "planned runs finished"))


def _subtitle(results: Results) -> str:
    started, updated = results.runs["started"].min(), results.runs["updated"].max()
    days = list(dict.fromkeys(str(time)[:10] for time in (started, updated)))
    suites = [f"Suite {suite}" for suite in results.suites]
    return f"{join_names(suites)}: runs of {' to '.join(days)}."


def _study_figures(studies: Sequence[StudyContext]) -> KeyFigures:
    trials = sum(len(study.record.trials) for study in studies)
    return (str(len(studies)), "study" if len(studies) == 1 else "studies"), (str(trials), "trials")


def _study_subtitle(studies: Sequence[StudyContext]) -> str:
    return join_names([f"Study {study.record.name} of suite {study.record.suite}" for study in studies]) + "."
