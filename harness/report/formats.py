"""The formats of a report: which files each gives, and which of them is opened first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.registry import Registry
from harness.report.assembly import assemble
from harness.report.context import ReportContext
from harness.report.csv_tables import csv_files
from harness.report.document import Document
from harness.report.exports import MARL_EVAL_FILE, array_files, export_files
from harness.report.latex import latex_tables, results_tables
from harness.report.latex_results import results_table
from harness.report.manifest import MANIFEST_FILE
from harness.report.printing import print_page
from harness.report.rendering import FIGURES, Album, html_page, markdown_page, paper_figure_files
from harness.report.sources import link_sources

FORMATS = ("html", "pdf", "md", "latex", "latex-all", "figures", "csv", "json", "npz")

USUAL_FORMATS = ("html", "md", "latex", "csv")
"""Those that need nothing that may not be there, such as a browser."""

_NUMBERS = frozenset({"csv", "json", "npz"})
"""Those that hold numbers alone, for which no document is put together."""

_MAIN_FILES = {
    "html": "index.html",
    "pdf": "report.pdf",
    "md": "report.md",
    "latex": "tables.tex",
    "latex-all": "all-tables.tex",
    "figures": FIGURES,
    "csv": "scores.csv",
    "json": MARL_EVAL_FILE,
    "npz": ".npz",
}
"""The file to open first, or how its name ends, by format; of studies alone there are others of the same kind."""


def report_files(
    report: ReportContext, registry: Registry, formats: Sequence[str], title: str | None, figure_font: str
) -> dict[str, str | bytes]:
    """The content of each file of a report, by name.

    Args:
        report: What the report is about.
        registry: What is installed, sections among it.
        formats: Names of `FORMATS`.
        title: The heading of the page; named after suites and studies if not given.
        figure_font: Family of the font in ``figures``.
    """
    files: dict[str, str | bytes] = {}
    tables = csv_files(report) if "csv" in formats else {}
    if set(formats) - _NUMBERS:
        document = link_sources(assemble(report, registry, title), tables)
        files = _document_files(document, report, formats, figure_font)
    files |= tables
    if "json" in formats and report.results:
        files |= export_files(report.results)
    if "npz" in formats and report.results:
        files |= array_files(report.results)
    return files


def _document_files(
    document: Document, report: ReportContext, formats: Sequence[str], figure_font: str
) -> dict[str, str | bytes]:
    """The files in which the document is told, by name."""
    files: dict[str, str | bytes] = {}
    kinds = [kind for name, kind in (("md", "svg"), ("figures", "png")) if name in formats]
    album = Album(panels=bool({"html", "pdf"} & set(formats)), sheets=kinds)
    if {"html", "pdf"} & set(formats):
        page = html_page(document, album)
        if "html" in formats:
            files["index.html"] = page
        if "pdf" in formats:
            files["report.pdf"] = print_page(page)
    if "md" in formats:
        files |= {f"{FIGURES}/{name}": data for name, data in album.files(document.sections, "svg").items()}
        files["report.md"] = markdown_page(document)
    if "figures" in formats:
        files |= {f"{FIGURES}/{name}": data for name, data in paper_figure_files(document.sections, figure_font).items()}
        files |= {f"{FIGURES}/{name}": data for name, data in album.files(document.sections, "png").items()}
    if "latex" in formats:
        files["tables.tex"] = results_tables(document, [table for suite in report.suites if (table := results_table(suite))])
    if "latex-all" in formats:
        files["all-tables.tex"] = latex_tables(document)
    return files


def main_file(files: Mapping[str, object], formats: Sequence[str]) -> str:
    """The file to open first, or the folder of figures.

    Args:
        files: Everything that was written, by name.
        formats: Names of `FORMATS`, in any order.
    """
    first = next(name for name in _MAIN_FILES if name in formats)
    file = _MAIN_FILES[first]
    if file in files or file == FIGURES:
        return file
    return next((name for name in files if name.endswith(file.rpartition(".")[2])), MANIFEST_FILE)
