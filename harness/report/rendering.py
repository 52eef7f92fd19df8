"""From a document to a page: HTML that needs nothing but itself, or Markdown beside a folder of figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from harness.errors import without_control_characters
from harness.report.document import Document, FigureBlock, Section, TableCell
from harness.report.drawing import ExternalPlot, Plot
from harness.report.figures import inline_svgs, paper_figures, render_files
from harness.report.page_script import SCRIPT, SCRIPT_SOURCE
from harness.report.templating import page_templates

_LONG_WORD = 20  # characters

FIGURES = "figures"
"""The folder of figures, beside the Markdown file."""


def html_page(document: Document) -> str:
    """A self-contained page: styles, figures and one small script inline, nothing fetched, and whole without the script."""
    templates = page_templates("report", autoescape=True)
    filters: dict[str, Any] = templates.filters
    filters |= {
        "panels": _panels,
        "anchor": _anchor,
        "unbroken": _unbroken,
        "has_long_word": _has_long_word,
        "breakable": _breakable,
        "panel_width": _panel_width,
    }
    page = templates.get_template("page.html.j2")
    return page.render(document=document, script=Markup(SCRIPT), script_source=SCRIPT_SOURCE) + "\n"


def _panels(plot: Plot | ExternalPlot) -> list[tuple[str, Markup]]:
    """The title above each panel and its picture; panels that stand alone have their figure's caption instead."""
    pictures = [Markup(svg) for svg in inline_svgs(plot)]
    titles = [panel.title for panel in plot.panels] if isinstance(plot, Plot) and len(pictures) > 1 else [""] * len(pictures)
    return list(zip(titles, pictures, strict=True))


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


def figure_files(sections: tuple[Section, ...]) -> Mapping[str, bytes]:
    """Every figure as a vector file for a page, by file name."""
    return _files(sections, "svg")


def paper_figure_files(sections: tuple[Section, ...], font: str) -> Mapping[str, bytes]:
    """Every figure as vector PDF at the widths of a paper's columns, and as a picture for slides, by file name.

    Args:
        sections: What the figures are taken from.
        font: Family of the paper's font.
    """
    found = {plot.name: paper_figures(plot, font) for plot in _plots(sections)}
    vectors = {f"{name}-{width}.pdf": data for name, files in found.items() for width, data in files.items()}
    return vectors | _files(sections, "png")


def _files(sections: tuple[Section, ...], kind: str) -> dict[str, bytes]:
    drawn = ((plot.name, render_files(plot, (kind,))) for plot in _plots(sections))
    return {f"{name}.{kind}": files[kind] for name, files in drawn if kind in files}


def _plots(sections: tuple[Section, ...]) -> list[Plot | ExternalPlot]:
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
