"""What a report consists of, whatever it is written as: sections of text, lists, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from harness.report.drawing import ExternalPlot, Plot, Style

TableCell = str | tuple[str, str]
"""A table's cell: text, or a value and a remark about it, such as its interval."""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class BulletList:
    """A list; as a ``warning`` it holds what the reader must know before trusting a number."""

    kind: ClassVar[str] = "list"
    items: tuple[str, ...]
    warning: bool = False


@dataclass(frozen=True)
class CodeBlock:
    """Lines to copy."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Column:
    """A table's column.

    Attributes:
        title: Text of its head.
        content_type: ``method`` (a label, shown with the method's colour), ``number`` (aligned right) or ``text``.
        method: Whether the head is a method's label.
    """

    title: str
    content_type: Literal["text", "method", "number"] = "text"
    method: bool = False


@dataclass(frozen=True)
class ReportTable:
    """A table with its explanation, collapsed behind its caption where it is long and rarely read."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    collapsed: bool = False


@dataclass(frozen=True)
class FigureBlock:
    """A figure; its explanation stands before it as text."""

    kind: ClassVar[str] = "figure"
    plot: Plot | ExternalPlot


@dataclass(frozen=True)
class SourceLinks:
    """Links to files beside the report, put there by the harness itself: a plugin's section has none.

    Attributes:
        numbers: Names of the files with the numbers of the figure or table before.
        per_seed: Names of the files with the same for each seed.
    """

    kind: ClassVar[str] = "sources"
    numbers: tuple[str, ...]
    per_seed: tuple[str, ...] = ()


Block = Paragraph | BulletList | CodeBlock | ReportTable | FigureBlock | SourceLinks


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it.

    Attributes:
        title: The heading, as plain text.
        blocks: What stands under it, in order.
        level: Depth of the heading: 2 for what a suite, a study or the whole report begins with, 3 below that.
        styles: How methods are drawn here, by label; in a section about a suite the suite's own styles if empty.
        name: Name under which the harness installs the section; empty for a plugin's.
    """

    title: str
    blocks: tuple[Block, ...]
    level: int = 3
    styles: Mapping[str, Style] = field(default_factory=dict[str, Style])
    name: str = ""


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        title: Heading of the page.
        subtitle: One sentence under it.
        key_figures: Numbers that say how much there is, each with its name.
        sections: All sections, in order.
    """

    title: str
    subtitle: str
    key_figures: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
