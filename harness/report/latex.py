"""Tables in LaTeX, to be put into a paper: they need the package booktabs and nothing else.

One table for each suite has what a paper shows first; all tables of the report can be had too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from harness.report.document import Document, ReportTable, Section, TableCell
from harness.report.latex_results import ResultsTable
from harness.report.latex_text import PREAMBLE, comment, escape

_NARROW = 6  # columns beside the first that fit into a column of a paper


def results_tables(document: Document, tables: Sequence[ResultsTable]) -> str:
    """A compact table for each suite, with a label of its own.

    Args:
        document: The report, whose title says what the tables are about.
        tables: What the tables hold.
    """
    lines = _head(document)
    labels: set[str] = set()
    for table in tables:
        label = _unused(f"tab:{_slug(table.suite)}", labels)
        lines += ["", f"% {comment(table.suite)}", *_results_table(table, label)]
    if not tables:
        lines += ["", "% There are no runs with a score, so there is no table of results."]
    return "\n".join(lines) + "\n"


def _results_table(table: ResultsTable, label: str) -> Iterator[str]:
    environment = "table*" if len(table.columns) > _NARROW else "table"
    yield from (rf"\begin{{{environment}}}", r"\centering", rf"\caption{{{escape(table.caption)}}}", rf"\label{{{label}}}")
    if len(table.columns) > _NARROW:
        yield r"\small\setlength{\tabcolsep}{3pt}"
    yield rf"\begin{{tabular}}{{@{{}}l{'r' * len(table.columns)}@{{}}}}"
    yield from (r"\toprule", _row(["", *table.columns]), r"\midrule")
    for i, (name, cells) in enumerate(table.rows):
        if i == table.first_total and i:
            yield r"\midrule"
        bold = (rf"\textbf{{{escape(text)}}}" if best else f"{{{escape(text)}}}" for text, best in cells)
        yield " & ".join((f"{{{escape(name)}}}", *bold)) + r" \\"
    yield from (r"\bottomrule", r"\end{tabular}", rf"\end{{{environment}}}")


def _head(document: Document) -> list[str]:
    return [*PREAMBLE, f"% {comment(document.title)}: {comment(document.subtitle)}"]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "results"


def _unused(label: str, labels: set[str]) -> str:
    """The label, with a number behind it where another table has it already."""
    free: Iterable[str] = (label, *(f"{label}-{n}" for n in range(2, len(labels) + 3)))
    found = next(one for one in free if one not in labels)
    labels.add(found)
    return found


def latex_tables(document: Document) -> str:
    """Every table of the document that is not collapsed; those are long, and stand in the CSV files."""
    lines, numbers = _head(document), count(1)
    suite = ""
    for section in document.sections:
        suite = section.title if section.level == 2 else suite
        lines += _section(suite, section, numbers)
    return "\n".join(lines) + "\n"


def _section(suite: str, section: Section, numbers: Iterator[int]) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, ReportTable) and not block.collapsed:
            yield f"\n% {comment(suite)}: {comment(section.title)}"
            yield from _table(block, f"tab:{_slug(section.title)}-{next(numbers)}")


def _table(table: ReportTable, label: str) -> Iterator[str]:
    kinds = "".join("r" if column.content_type == "number" else "l" for column in table.columns)
    yield from (r"\begin{table}", r"\centering", rf"\caption{{{escape(table.caption)}}}", rf"\label{{{label}}}")
    yield rf"\begin{{tabular}}{{{kinds}}}"
    yield from (r"\toprule", _row([column.title for column in table.columns]), r"\midrule")
    yield from (_row(row) for row in table.rows)
    yield from (r"\bottomrule", r"\end{tabular}", r"\end{table}")


def _row(cells: list[str] | tuple[TableCell, ...]) -> str:
    """A row in braces, since a cell that begins with a bracket would be read as an option of the line before."""
    return " & ".join(f"{{{escape(_text(cell))}}}" for cell in cells) + r" \\"


def _text(cell: TableCell) -> str:
    return cell if isinstance(cell, str) else " ".join(part for part in cell if part)
