"""The tables of a document in LaTeX, to be put into a paper: they need the package booktabs and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.report.document import Document, ReportTable, Section, TableCell

_SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
    **{"`": r"\textasciigrave{}", "�": "?"},
    **{'"': "''", "“": "``", "”": "''", "–": "--"},
    **{"−": "$-$", "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "†": r"$\dagger$", "τ": r"$\tau$"},
}


def latex_tables(document: Document) -> str:
    """Every table of the document that is not collapsed; those are long, and stand in the CSV files."""
    lines = ["% Needs \\usepackage{booktabs}.", f"% {_comment(document.title)}: {_comment(document.subtitle)}"]
    suite = ""
    for section in document.sections:
        suite = section.title if section.level == 2 else suite
        lines += _section(suite, section)
    return "\n".join(lines) + "\n"


def _section(suite: str, section: Section) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, ReportTable) and not block.collapsed:
            yield f"\n% {_comment(suite)}: {_comment(section.title)}"
            yield from _table(block)


def _table(table: ReportTable) -> Iterator[str]:
    kinds = "".join("r" if column.content_type == "number" else "l" for column in table.columns)
    yield from (r"\begin{table}", r"\centering", rf"\caption{{{_escaped(table.caption)}}}", rf"\begin{{tabular}}{{{kinds}}}")
    yield from (r"\toprule", _row([column.title for column in table.columns]), r"\midrule")
    yield from (_row(row) for row in table.rows)
    yield from (r"\bottomrule", r"\end{tabular}", r"\end{table}")


def _row(cells: list[str] | tuple[TableCell, ...]) -> str:
    """A row in braces, since a cell that begins with a bracket would be read as an option of the line before."""
    return " & ".join(f"{{{_escaped(_text(cell))}}}" for cell in cells) + r" \\"


def _text(cell: TableCell) -> str:
    return cell if isinstance(cell, str) else " ".join(part for part in cell if part)


def _escaped(text: str) -> str:
    flat = _comment(text)
    return "".join(
        "-{}" if character == following == "-" else _SPECIAL.get(character, character)  # two hyphens would become a dash
        for character, following in zip(flat, f"{flat[1:]} ", strict=False)
    )


def _comment(text: str) -> str:
    """One line; characters that cannot be printed would end a comment, or stop LaTeX."""
    return "".join(character if character.isprintable() else "?" for character in re.sub(r"\s+", " ", text))
