"""Looking through a stranger's section before it is written: a page cannot show what is not text."""

from __future__ import annotations

import re
from typing import cast

from harness.report.document import BulletList, CodeBlock, Column, FigureBlock, Paragraph, ReportTable, Section
from harness.report.drawing import ExternalPlot, Plot

_FILE_STEM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def validate_section(section: object) -> None:
    """Refuse what could not be written, or not as it is meant.

    Raises:
        TypeError: Something is of another type than `harness.report.document` says; names where it is.
        ValueError: A row has another number of cells than the table has columns, or a figure's name cannot be a file's.
    """
    if not isinstance(section, Section):
        raise TypeError(f"build() must return a harness.report.document.Section or None, not {_describe(section)}")
    _check_text(section.title, "the title")
    if section.level not in (2, 3):
        raise ValueError(f"level must be 2 or 3, not {section.level!r}")
    for i, block in enumerate(_sequence(section.blocks, "blocks"), 1):
        _check_block(block, f"block {i}")


def _check_block(block: object, where: str) -> None:
    match block:
        case Paragraph() | CodeBlock():
            _check_text(block.text, f"{where}: text")
        case BulletList():
            for i, item in enumerate(_sequence(block.items, f"{where}: items"), 1):
                _check_text(item, f"{where}: item {i}")
        case ReportTable():
            _check_table(block, where)
        case FigureBlock():
            _check_plot(block.plot, where)
        case _:
            raise TypeError(f"{where} must be a block of harness.report.document, not {_describe(block)}")


def _check_table(table: ReportTable, where: str) -> None:
    _check_text(table.caption, f"{where}: caption")
    for column in _sequence(table.columns, f"{where}: columns"):
        if not isinstance(column, Column):
            raise TypeError(f"{where}: columns must be of Column, not {_describe(column)}")
        _check_text(column.title, f"{where}: a column's title")
    for i, row in enumerate(_sequence(table.rows, f"{where}: rows"), 1):
        cells = _sequence(row, f"{where}: row {i}")
        if len(cells) != len(table.columns):
            raise ValueError(f"{where}: row {i} has {len(cells)} cells, the table has {len(table.columns)} columns")
        for j, cell in enumerate(cells):
            place = f"{where}: row {i}, column {table.columns[j].title!r}"
            parts = cast(tuple[object, ...], cell) if isinstance(cell, tuple) else ()
            texts = parts if len(parts) == 2 else (cast(object, cell),)
            for text in texts:
                _check_text(text, place)


def _check_plot(plot: object, where: str) -> None:
    if not isinstance(plot, Plot | ExternalPlot):
        raise TypeError(f"{where}: plot must be a Plot or ExternalPlot of harness.report.drawing, not {_describe(plot)}")
    _check_text(plot.title, f"{where}: title")
    _check_text(plot.name, f"{where}: name")
    if not _FILE_STEM.fullmatch(plot.name):
        raise ValueError(f"{where}: name is part of a file's: letters, digits, '_', '-' and '.', not {plot.name!r}")


def _sequence(found: object, where: str) -> tuple[object, ...]:
    if not isinstance(found, tuple):
        raise TypeError(f"{where} must be a tuple, not {_describe(found)}")
    return cast(tuple[object, ...], found)


def _check_text(text: object, where: str) -> None:
    """Plain text alone: subclasses such as markupsafe's would pass into the page unescaped."""
    if type(text) is not str:
        raise TypeError(f"{where} must be plain text (str), not {_describe(text)}")


def _describe(found: object) -> str:
    return f"{type(found).__name__} {found!r:.60}"
