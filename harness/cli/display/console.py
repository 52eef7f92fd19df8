"""A terminal or not, and tables for both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.errors import without_control_characters

_UNLIMITED = 100_000
"""Columns of a pipe, which never wraps a line."""

_LEAST_COLUMN = 16
"""Columns of a terminal that words need, so that they can be read when they are wrapped."""

_COLUMN_GAP = 2
"""Columns between those of a table."""


def open_console(*, stderr: bool = False) -> Console:
    """Where to print: as wide as the terminal, or without end where there is none; nothing in a text is markup."""
    console = _PrintableConsole(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = _UNLIMITED
    return console


class _PrintableConsole(Console):
    """A console that no text commands: what names from a results folder say in control characters is not carried out."""

    def print(self, *objects: Any, **options: Any) -> None:
        """See `rich.console.Console.print`."""
        super().print(*map(_printable_object, objects), **options)


def _printable_object(shown: Any) -> Any:
    if isinstance(shown, str):
        return without_control_characters(shown)
    if isinstance(shown, Text) and not shown.plain.isprintable():
        shown = shown.copy()
        shown.plain = without_control_characters(shown.plain)  # as long as it was, so that styles stay where they are
    return shown


def print_table(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right_aligned: Sequence[str] = (),
    no_wrap_columns: Sequence[str] = (),
) -> None:
    """Print a table, drawn for a terminal and in aligned columns elsewhere; columns that are empty throughout are left out.

    Args:
        console: The console to print on.
        title: Printed above; empty for none.
        columns: Headings of the columns.
        rows: One cell per column; ``None`` is empty, `rich.text.Text` keeps its style.
        right_aligned: Columns of numbers, which are aligned to the right.
        no_wrap_columns: Columns that must not be wrapped, such as names; numbers never are.
    """
    cells = [
        [_printable_object(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell))) for cell in row]
        for row in rows
    ]
    used = [index for index in range(len(columns)) if any(row[index].plain for row in cells)]
    if console.is_terminal:
        _print_drawn(
            console,
            title,
            [columns[i] for i in used],
            [[row[i] for i in used] for row in cells],
            right_aligned,
            no_wrap_columns,
        )
    else:
        _print_plain(
            console, title, [columns[i] for i in used], [[row[i].plain for i in used] for row in cells], right_aligned
        )


def _print_drawn(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Text]],
    right_aligned: Sequence[str],
    no_wrap_columns: Sequence[str],
) -> None:
    if _least_width(columns, rows, {*right_aligned, *no_wrap_columns}) > console.width:
        _print_blocks(console, title, columns, rows)
        return
    table = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        number = column in right_aligned
        table.add_column(
            column, justify="right" if number else "left", no_wrap=number or column in no_wrap_columns, overflow="fold"
        )
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[Text]], whole: Collection[str]) -> int:
    """Columns of a terminal below which a table can no longer be read."""
    widths = [max([len(column), *(row[i].cell_len for row in rows)]) for i, column in enumerate(columns)]
    least = [width if column in whole else min(width, _LEAST_COLUMN) for column, width in zip(columns, widths, strict=True)]
    return sum(least) + _COLUMN_GAP * (len(columns) - 1)


def _print_blocks(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """A table that is too wide, as a block of wrapped lines for each row."""
    if title:
        console.print(Text(title, style="bold"))
    for first, *others in rows:
        console.print(Padding(first, (0, 0, 0, 2)))
        for column, cell in zip(columns[1:], others, strict=True):
            if cell.plain:
                console.print(Padding(Text.assemble((f"{column}: ", "dim"), cell), (0, 0, 0, 6)))


def _print_plain(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right_aligned: Sequence[str]
) -> None:
    lines = [list(columns), *map(list, rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    if title:
        console.print(title)
    for line in lines:
        cells = [
            cell.rjust(width) if column in right_aligned else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        console.print("  ".join(cells).rstrip())
