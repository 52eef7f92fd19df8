"""What a report consists of, whatever it is written as: sections of text, lists, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from harness.report.drawing import Foreign, Plot, Style

Cell = str | tuple[str, str]
"""A table's cell: text, or a value and a remark about it, such as its interval."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Points:
    """A list; as a ``notice`` it holds what the reader must know before trusting a number."""

    kind: ClassVar[str] = "points"
    points: tuple[str, ...]
    notice: bool = False


@dataclass(frozen=True)
class Code:
    """Lines to copy."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Column:
    """A table's column.

    Attributes:
        title: Its head.
        holds: ``method`` (a label, shown with the method's colour), ``number`` (aligned right) or ``text``.
        method: Whether the head is a method's label.
    """

    title: str
    holds: Literal["text", "method", "number"] = "text"
    method: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its explanation, folded away behind its caption where it is long and rarely read."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure; its explanation stands before it as text."""

    kind: ClassVar[str] = "chart"
    plot: Plot | Foreign


Block = Text | Points | Code | Table | Chart


@dataclass(frozen=True)
class Section:
    """A heading (``level`` 2 for a suite, 3 below), what stands under it, and how methods are drawn there, by label."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 3
    styles: Mapping[str, Style] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        title: Of the page.
        lead: One sentence under it.
        facts: Numbers that say how much there is, each with its name.
        sections: In order.
    """

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
