"""From run folders to a report: the one verb of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from harness.analysis.published import PublishedNumber, read_published
from harness.analysis.tables import Analysis, analyse, choose_baseline
from harness.errors import ResultsError, UnknownNameError
from harness.report.document import Block, BulletList, Document, Paragraph, ReportSection
from harness.report.latex import latex_tables
from harness.report.phases import phase_boundaries
from harness.report.plots import SuitePlots
from harness.report.rendering import FIGURES, figure_files, html_page, markdown_page
from harness.report.sections.published import PublishedComparison
from harness.report.sections.runs import definitions_section, reproducibility_sections
from harness.report.sections.scores import findings, score_sections
from harness.report.warnings import collect_warnings, incomplete_methods
from harness.report.wording import format_count, join_names
from harness.runs.files import write_bytes_atomic, write_text_atomic
from harness.runs.folder import STUDIES, RunFolder, find_runs
from harness.runs.results import Results, read_results
from harness.tuning.trials import STUDY_RECORD_FILE, find_study_records

if TYPE_CHECKING:
    from harness.tuning.record import StudyRecord

FORMATS = ("html", "md", "latex", "csv")

_MAIN_FILES = {"html": "index.html", "md": "report.md", "latex": "tables.tex", "csv": "scores.csv"}
_SIGNIFICANT_FIGURES = 12  # of numbers in CSV files; beyond that lies the processor's rounding

PublishedComparisons = Mapping[str, PublishedComparison]
"""Published numbers beside each suite's own, by suite; empty when none were asked for."""


def build_report(
    folders: Sequence[Path | RunFolder],
    out: Path,
    *,
    baseline: str | None = None,
    formats: Sequence[str] = FORMATS,
    published: Sequence[Path] = (),
    title: str = "Exploration benchmark",
) -> Path:
    """Write a report about every run and study at or below ``folders``; the same give the same files to the byte.

    Args:
        folders: Results directories, parts of them, or single runs; several suites get a section each.
        out: Where to write; created if need be. Files of an earlier report are replaced, one by one and whole.
        baseline: The method to compare with; see `harness.analysis.tables.choose_baseline`.
        formats: Which of `FORMATS` to write: ``html`` is one self-contained page, ``md`` comes with a folder of figures,
            ``latex`` is the tables for a paper, ``csv`` is every number in tables.
        published: Files or folders of published numbers to lay beside ours; see `harness.analysis.published`.
        title: Of the page.

    Returns:
        The file to open first.

    Raises:
        ResultsError: When there is no run, a folder or a file does not exist or cannot be used, or ``out`` cannot be written.
        UnknownNameError: When no method is called ``baseline``, or a format is none of `FORMATS`.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    numbers = read_published(published) if published else []
    studies = _studies(folders)
    results = _results(folders, studies)
    baselines = {suite: choose_baseline(results, suite, baseline) for suite in results.suites} if results else {}
    _write({}, Path(out))  # what cannot be written is said before the work, not after
    analyses = [analyse(results, suite, label) for suite, label in baselines.items()] if results else []
    comparisons = _published_comparisons(analyses, results, numbers) if results else {}
    files: dict[str, str | bytes] = {}
    if {"html", "md", "latex"} & set(formats):
        document = _document(results, analyses, comparisons, studies, title)
        if "html" in formats:
            files["index.html"] = html_page(document)
        if "md" in formats:
            files |= {f"{FIGURES}/{name}": data for name, data in figure_files(document.sections).items()}
            files["report.md"] = markdown_page(document)
        if "latex" in formats:
            files["tables.tex"] = latex_tables(document)
    if "csv" in formats:
        tables = _tables(results, analyses, comparisons) if results else {}
        tables |= _trials_tables(studies)
        files |= {f"{name}.csv": _csv(table) for name, table in tables.items()}
    _write(files, Path(out))
    main = _MAIN_FILES if results else _MAIN_FILES | {"csv": next((name for name in files if name.endswith(".csv")), "")}
    return Path(out) / next(file for name, file in main.items() if name in formats)


def _path(folder: Path | RunFolder) -> Path:
    return folder.path if isinstance(folder, RunFolder) else Path(folder)


def _studies(folders: Sequence[Path | RunFolder]) -> list[StudyRecord]:
    files = find_study_records(_path(folder) for folder in folders)
    if not files:
        return []
    from harness.tuning.record import read_study_record  # loads Optuna, which a report without studies does not need

    return [read_study_record(file) for file in files]


def _tuning_sections(studies: Sequence[StudyRecord]) -> list[ReportSection]:
    if not studies:
        return []
    from harness.report.sections.tuning import tuning_sections

    return [section for study in studies for section in tuning_sections(study)]


def _trials_tables(studies: Sequence[StudyRecord]) -> dict[str, pl.DataFrame]:
    if not studies:
        return {}
    from harness.report.sections.tuning import trials_table

    return {f"tuning-{study.suite}-{study.name}": trials_table(study) for study in studies}


def _results(folders: Sequence[Path | RunFolder], studies: Sequence[StudyRecord]) -> Results | None:
    """What runs there are beside those of studies; ``None`` where there are studies alone."""
    beside = [folder for folder in folders if not find_study_records([_path(folder)]) or not _within_study(_path(folder))]
    if studies and not beside:
        return None
    try:
        return read_results(beside)
    except ResultsError:
        if studies and all(_path(folder).is_dir() and not find_runs(_path(folder))[0] for folder in beside):
            return None
        raise


def _within_study(folder: Path) -> bool:
    """Whether a folder is a study's, or the folder of a suite's studies."""
    return (folder / STUDY_RECORD_FILE).exists() or folder.resolve().name == STUDIES


def _study_document(studies: Sequence[StudyRecord], title: str) -> Document:
    trials = sum(len(study.trials) for study in studies)
    key_figures = (str(len(studies)), "study" if len(studies) == 1 else "studies"), (str(trials), "trials")
    sections = _tuning_sections(studies)
    subtitle = join_names([f"Study {study.name} of suite {study.suite}" for study in studies]) + "."
    return Document(title, subtitle, key_figures, (*sections, definitions_section()))


def _published_comparisons(
    analyses: Sequence[Analysis], results: Results, numbers: Sequence[PublishedNumber]
) -> PublishedComparisons:
    return (
        {analysis.suite: PublishedComparison(analysis, results.records, numbers) for analysis in analyses} if numbers else {}
    )


def _document(
    results: Results | None,
    analyses: Sequence[Analysis],
    comparisons: PublishedComparisons,
    studies: Sequence[StudyRecord],
    title: str,
) -> Document:
    if results is None:
        return _study_document(studies, title)
    runs = results.runs.filter(~pl.col("superseded"))
    finished = runs.filter(state="finished")
    counts = {
        "suite": runs["suite"].n_unique(),
        "task": runs.select("suite", "task").n_unique(),
        "method": runs.select("suite", "label").n_unique(),
        "seed": runs["seed"].n_unique(),
    }
    key_figures = [(f"{n}", thing if n == 1 else f"{thing}s") for thing, n in counts.items() if n > 1 or thing != "suite"]
    key_figures.append((f"{len(finished)} of {len(runs)}", "planned runs finished"))
    sections = [section for one in analyses for section in _suite_sections(one, results, comparisons.get(one.suite))]
    sections += _tuning_sections(studies)
    if results.skipped:
        sections.append(ReportSection("Skipped while reading", (BulletList(results.skipped),), level=2))
    return Document(title, _subtitle(results), tuple(key_figures), (*sections, definitions_section()))


def _subtitle(results: Results) -> str:
    started, updated = results.runs["started"].min(), results.runs["updated"].max()
    days = list(dict.fromkeys(str(time)[:10] for time in (started, updated)))
    return f"{join_names([f'Suite {suite}' for suite in results.suites])}: runs of {' to '.join(days)}."


def _suite_sections(analysis: Analysis, results: Results, comparison: PublishedComparison | None) -> list[ReportSection]:
    marks = dict.fromkeys(incomplete_methods(analysis), " †")
    plots = SuitePlots(analysis, marks, phase_boundaries(analysis, results.records))
    states = analysis.current_runs["state"].to_list()
    planned = format_count(len(states), "run")
    subtitle = (
        f"{format_count(len(analysis.methods), 'method')} on {format_count(len(analysis.tasks), 'task')};"
        f" {states.count('finished'):,} of"
        f" {planned} finished."
    )
    blocks: list[Block] = [Paragraph(subtitle + (f" The baseline is {analysis.baseline}." if analysis.baseline else ""))]
    if found := findings(analysis):
        blocks.append(BulletList(tuple(found)))
    if warned := collect_warnings(analysis, results.records):
        blocks.append(BulletList(tuple(warned), warning=True))
    overview = ReportSection(f"Suite {analysis.suite}", tuple(blocks), level=2)
    compared = [comparison.section(plots.styles)] if comparison else []
    records = reproducibility_sections(analysis, results.records, plots.styles)
    return [overview, *score_sections(analysis, plots), *compared, *records]


def _tables(results: Results, analyses: Sequence[Analysis], comparisons: PublishedComparisons) -> dict[str, pl.DataFrame]:
    runs = results.runs.rename({"method": "method_name", "label": "method"}).with_columns(pretraining=False)
    pretraining = results.pretraining.with_columns(method_name="method", pretraining=True)
    columns = ["suite", "task", "method", "seed", "score", "normalised", "score_step", "episodes", "digest", "method_digest"]
    tables = {
        "scores": runs.filter(~pl.col("superseded")).drop_nulls("score").select(columns),
        "runs": pl.concat([runs, pretraining], how="diagonal"),
    }
    if comparisons:
        for name, clipped in (("published", False), ("published_clipped", True)):
            tables[name] = pl.concat([comparison.table(clipped=clipped) for comparison in comparisons.values()])
    return tables | {name: pl.concat([analysis.tables[name] for analysis in analyses]) for name in analyses[0].tables}


def _csv(table: pl.DataFrame) -> str:
    return table.with_columns(pl.col(pl.Float64).round_sig_figs(_SIGNIFICANT_FIGURES)).write_csv()


def _write(files: dict[str, str | bytes], out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                write_bytes_atomic(path, content)
            else:
                write_text_atomic(path, content)
    except OSError as error:
        raise ResultsError(f"{error.filename or out}: the report cannot be written ({error.strerror or error})") from error
