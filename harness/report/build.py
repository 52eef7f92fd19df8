"""From run folders to a report: the one verb of this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.analysis.bootstrap import EXPANDED, INTERVAL_KINDS, IntervalKind
from harness.errors import UnknownNameError
from harness.registry import Registry, installed
from harness.report.assembly import assemble
from harness.report.context import ReportContext
from harness.report.csv_tables import csv_files
from harness.report.document import Document
from harness.report.exports import MARL_EVAL_FILE, export_files
from harness.report.figure_settings import DEFAULT_FONT, check_font
from harness.report.inputs import Folder, ReportInputs
from harness.report.latex import latex_tables, results_tables
from harness.report.latex_results import results_table
from harness.report.manifest import MANIFEST_FILE, manifest
from harness.report.printing import find_browser, print_page
from harness.report.rendering import FIGURES, figure_files, html_page, markdown_page, paper_figure_files
from harness.report.selection import Selection
from harness.report.sources import link_sources
from harness.runs.output import OutputFolder

FORMATS = ("html", "pdf", "md", "latex", "latex-all", "figures", "csv", "json")

_USUAL_FORMATS = ("html", "md", "latex", "csv")
"""Those that need nothing that may not be there, such as a browser."""

_MAIN_FILES = {
    "html": "index.html",
    "pdf": "report.pdf",
    "md": "report.md",
    "latex": "tables.tex",
    "latex-all": "all-tables.tex",
    "figures": FIGURES,
    "csv": "scores.csv",
    "json": MARL_EVAL_FILE,
}


def build_report(
    folders: Sequence[Folder],
    out: Path,
    *,
    baseline: str | None = None,
    formats: Sequence[str] = _USUAL_FORMATS,
    published: Sequence[Path] = (),
    intervals: IntervalKind = EXPANDED,
    selection: Selection | None = None,
    compare: bool = False,
    title: str | None = None,
    figure_font: str = DEFAULT_FONT,
    registry: Registry | None = None,
    on_unreadable: Callable[[str], None] | None = None,
) -> Path:
    """Write a report about every run and study at or below ``folders``; the same give the same files to the byte.

    Args:
        folders: Results directories, parts of them, or single runs; several suites get a section each. Methods in folders
            with names (`harness.report.inputs.NamedFolder`) are named after theirs.
        out: Folder to write into; created if need be. Files of an earlier report are replaced, one by one and whole.
        baseline: The method to compare with; see `harness.analysis.tables.choose_baseline`.
        formats: Names of `FORMATS` to write: ``html`` is one self-contained page, ``pdf`` the same on paper, ``md`` comes with
            a folder of figures, ``latex`` is one table for a paper for each suite, ``latex-all`` all tables, ``figures`` are
            vector files as wide as one and two columns of a paper, ``csv`` every number in tables, ``json`` is for
            rliable and marl-eval.
        published: Files or folders of published numbers to lay beside ours; see `harness.analysis.published`.
        intervals: ``expanded`` for intervals that hold few seeds, ``rliable`` for rliable's own; see
            `harness.analysis.bootstrap`.
        selection: What of the results is shown, under which names and in which order; everything if not given.
        compare: Whether to say what changed from one of two folders with names to the other.
        title: The heading of the page; named after suites and studies if not given.
        figure_font: Family of the font in ``figures``.
        registry: What is installed; of this installation if not given.
        on_unreadable: Takes a line for each thing that could not be read; the report names them too.

    Returns:
        The file to open first.

    Raises:
        ResultsError: When there is no run, a folder or a file does not exist or cannot be used, or ``out`` cannot be written.
        UnknownNameError: When no method is called ``baseline``, a format is none of `FORMATS`, intervals cannot be made so, or
            what is selected or such a font does not exist.
        UserError: When names of folders or of methods contradict each other, or ``pdf`` is wanted and no browser is installed
            that prints.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    if intervals not in INTERVAL_KINDS:
        raise UnknownNameError("kind of intervals", intervals, INTERVAL_KINDS)
    if "pdf" in formats:
        find_browser()
    if "figures" in formats:
        check_font(figure_font)
    registry = registry or installed()
    inputs = ReportInputs(folders, published, baseline, registry, intervals, selection, compare=compare)
    folder = OutputFolder(Path(out))
    folder.create()  # what cannot be written is said before the work, not after
    report = inputs.analyse()
    for line in report.unreadable:
        if on_unreadable is not None:
            on_unreadable(line)
    files: dict[str, str | bytes] = {}
    tables = csv_files(report) if "csv" in formats else {}
    if set(formats) - {"csv", "json"}:
        document = link_sources(assemble(report, registry, title), tables)
        files = _document_files(document, report, formats, figure_font)
    files |= tables
    if "json" in formats and report.results:
        files |= export_files(report.results)
    files[MANIFEST_FILE] = manifest(report, baseline, intervals, files)
    for name, content in files.items():
        folder.write(name, content)
    trials = {"csv": next((name for name in files if name.endswith(".csv")), ""), "json": MANIFEST_FILE}
    main = _MAIN_FILES if report.results else _MAIN_FILES | trials
    return Path(out) / next(file for name, file in main.items() if name in formats)


def _document_files(
    document: Document, report: ReportContext, formats: Sequence[str], figure_font: str
) -> dict[str, str | bytes]:
    """The files in which the document is told, by name."""
    files: dict[str, str | bytes] = {}
    if {"html", "pdf"} & set(formats):
        page = html_page(document)
        if "html" in formats:
            files["index.html"] = page
        if "pdf" in formats:
            files["report.pdf"] = print_page(page)
    if "md" in formats:
        files |= {f"{FIGURES}/{name}": data for name, data in figure_files(document.sections).items()}
        files["report.md"] = markdown_page(document)
    if "figures" in formats:
        files |= {f"{FIGURES}/{name}": data for name, data in paper_figure_files(document.sections, figure_font).items()}
    if "latex" in formats:
        files["tables.tex"] = results_tables(document, [table for suite in report.suites if (table := results_table(suite))])
    if "latex-all" in formats:
        files["all-tables.tex"] = latex_tables(document)
    return files
