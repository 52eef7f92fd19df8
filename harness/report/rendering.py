"""From a document to a page: HTML that needs nothing but itself, or Markdown beside a folder of figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from harness.errors import without_control_characters
from harness.report.document import Document, FigureBlock, Section, TableCell
from harness.report.drawing import ExternalPlot, Plot
from harness.report.figures import Pictures, draw_pictures, paper_figures
from harness.report.page_script import SCRIPT, SCRIPT_SOURCE
from harness.report.templating import page_templates

_LONG_WORD = 20  # characters

FIGURES = "figures"
"""The folder of figures, beside the Markdown file."""


class Album:
    """The pictures of a report's figures: what is wanted of a figure is drawn once, when it is first asked for.

    Args:
        panels: Whether panels are wanted for a page.
        sheets: Kinds of files in which sheets are wanted.
    """

    def __init__(self, *, panels: bool = True, sheets: Sequence[str] = ()) -> None:
        self._panels, self._sheets = panels, tuple(sheets)
        self._drawn: dict[int, tuple[Plot | ExternalPlot, Pictures]] = {}

    def pictures(self, plot: Plot | ExternalPlot) -> Pictures:
        """What is wanted of a figure."""
        if id(plot) not in self._drawn:
            self._drawn[id(plot)] = plot, draw_pictures(plot, panels=self._panels, sheets=self._sheets)
        return self._drawn[id(plot)][1]

    def panels(self, plot: Plot | ExternalPlot) -> list[tuple[str, Markup]]:
        """The title above each panel and its picture; panels that stand alone have their figure's caption instead."""
        pictures = [Markup(svg) for svg in self.pictures(plot).panels]
        if isinstance(plot, ExternalPlot) or len(pictures) < 2:
            return [("", picture) for picture in pictures]
        titles = [panel.title for panel in plot.panels]
        return list(zip(titles, pictures, strict=True))

    def files(self, sections: Sequence[Section], kind: str) -> dict[str, bytes]:
        """The sheet of every figure, by file name."""
        drawn = ((plot.name, self.pictures(plot).sheets) for plot in _plots(sections))
        return {f"{name}.{kind}": sheets[kind] for name, sheets in drawn if kind in sheets}


def html_page(document: Document, album: Album | None = None) -> str:
    """A self-contained page: styles, figures and one small script inline, nothing fetched, and whole without the script."""
    templates = page_templates("report", autoescape=True)
    filters: dict[str, Any] = templates.filters
    filters |= {
        "panels": (album or Album()).panels,
        "anchor": _anchor,
        "unbroken": _unbroken,
        "has_long_word": _has_long_word,
        "breakable": _breakable,
        "panel_width": _panel_width,
    }
    page = templates.get_template("page.html.j2")
    return page.render(document=document, script=Markup(SCRIPT), script_source=SCRIPT_SOURCE) + "\n"


def _panel_width(plot: Plot | ExternalPlot) -> float:
    """The width of a panel in inches."""
    return plot.size[0] if isinstance(plot, ExternalPlot) else plot.panels[0].size[0]


def markdown_page(document: Document) -> str:
    """The same in Markdown; figures are referred to as SVG files in the folder `FIGURES`."""
    templates = page_templates("report", autoescape=False)
    templates.filters["cell"] = _markdown_cell
    templates.filters["prose"] = _markdown_prose
    templates.filters["slug"] = _markdown_slug
    text = templates.get_template("page.md.j2").render(document=document, figures=FIGURES)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def paper_figure_files(sections: Sequence[Section], font: str) -> Mapping[str, bytes]:
    """Every figure as vector PDF at the widths of a paper's columns, by file name.

    Args:
        sections: What the figures are taken from.
        font: Family of the paper's font.
    """
    found = {plot.name: paper_figures(plot, font) for plot in _plots(sections)}
    return {f"{name}-{width}.pdf": data for name, files in found.items() for width, data in files.items()}


def _plots(sections: Sequence[Section]) -> list[Plot | ExternalPlot]:
    return [block.plot for section in sections for block in section.blocks if isinstance(block, FigureBlock)]


def _unbroken(text: str) -> str:
    """Text in which no line ends within an interval, or between a number and what it needs."""
    whole = re.sub(r"\[([^\s\[\],]+), ([^\s\[\],]+)\]", "[\\1,\u00a0\\2]", text).replace("no interval", "no\u00a0interval")
    return re.sub(r"(?<=\d) (?=%)|(?<=\b[npr]) (?=[=<] )|(?<=\b[npr] [=<]) (?=[\d\u2212])", "\u00a0", whole)


def _breakable(text: str) -> Markup:
    """Text whose long words may be broken after the marks that hold their parts together."""
    words = re.split(r"(\s+)", without_control_characters(text))  # which nobody takes out of what is escaped already
    parts = (re.split(r"(?<=[_./])(?=[^_./])", word) if len(word) > _LONG_WORD else [word] for word in words)
    return Markup("").join(Markup("<wbr>").join(map(escape, word)) for word in parts)


def _has_long_word(cell: TableCell) -> bool:
    """Whether a cell has a word that a narrow column could not hold."""
    text = cell if isinstance(cell, str) else " ".join(cell)
    return len(text) > _LONG_WORD and any(len(word) > _LONG_WORD for word in text.split())


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _markdown_slug(title: str) -> str:
    """The anchor that GitHub and most others give to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _markdown_prose(text: str) -> str:
    """Text that Markdown and the HTML in it leave alone."""
    escaped = re.sub(r"([\\`*_\[\]<>|#~$])", r"\\\1", without_control_characters(text).replace("&", "&amp;"))
    flat = re.sub(r"\s+", " ", escaped)
    return re.sub(r"^( *)([-+=]|\d+(?=[.)]))", _escape_start, flat)


def _escape_start(found: re.Match[str]) -> str:
    """What would begin a list, or underline a heading, at the beginning of a line."""
    spaces, mark = found.groups()
    return f"{spaces}{mark}\\" if mark.isdigit() else f"{spaces}\\{mark}"


def _markdown_cell(cell: TableCell) -> str:
    return _markdown_prose(cell if isinstance(cell, str) else " ".join(part for part in cell if part))
