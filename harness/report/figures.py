"""From figures to pictures: SVG that takes the page's colours and fonts, sheets as SVG and PNG, and vector PDF for papers.

Pictures are the same to the byte whenever they are drawn from the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.errors import without_control_characters
from harness.report.drawing import ExternalPlot, Panel, Plot
from harness.report.external_figures import external_figure
from harness.report.figure_settings import GRID_COLOUR, PAGE, TEXT_COLOUR, paper_settings
from harness.report.layout import lay_out
from harness.report.sheets import add_axes, draw_panel, draw_sheet, save_figure, turn_into_sheet

WIDTHS: Mapping[str, float] = MappingProxyType({"1col": 3.25, "2col": 6.75})
"""Widths of figures in papers, in inches: one column and two, as most two-column templates have them."""

_COLUMNS = 3
_PIXELS_PER_INCH = 108  # at which text on the page has the size of the text around it
_NARROWEST = 1.55  # inches of a panel in a paper
_SHRINKING = (0.58, 0.85)  # bounds of a panel's height in a paper, as a share of its height on the page


@dataclass(frozen=True)
class Pictures:
    """What is drawn of a figure.

    Attributes:
        panels: Each panel as an SVG element, see `inline_svgs`.
        sheets: All of them on one sheet, by kind of file, see `render_files`.
    """

    panels: Sequence[str]
    sheets: Mapping[str, bytes]


def draw_pictures(plot: Plot | ExternalPlot, *, panels: bool, sheets: Sequence[str]) -> Pictures:
    """The same as `inline_svgs` and `render_files` give, in less time where both are wanted.

    Args:
        plot: The figure that is drawn.
        panels: Whether the panels are wanted by themselves.
        sheets: Kinds of files in which the sheet is wanted.
    """
    if panels and sheets and isinstance(plot, Plot) and all(panel.scalable for panel in plot.panels):
        return _draw_once(plot, sheets)
    return Pictures(inline_svgs(plot) if panels else (), render_files(plot, sheets) if sheets else {})


def _draw_once(plot: Plot, kinds: Sequence[str]) -> Pictures:
    """Pictures of the same axes, first each alone in the figure and then all together: making them takes most of the time."""
    with matplotlib.rc_context(PAGE):
        columns, panel_size = _sheet_of(plot)
        figure = Figure(layout="constrained")
        every = add_axes(figure, plot, columns)
        for axes in every:
            axes.set_visible(False)
        panels = [
            _alone(figure, axes, panel, f"{plot.name}-{i}")
            for i, (panel, axes) in enumerate(zip(plot.panels, every, strict=True))
        ]
        figure.patch.set_visible(True)
        for axes in every:
            axes.set_visible(True)
            axes.patch.set_visible(True)
        turn_into_sheet(figure, plot, columns, panel_size)
        return Pictures(panels, {kind: save_figure(figure, kind) for kind in kinds})


def _alone(figure: Figure, axes: Axes, panel: Panel, name: str) -> str:
    """The picture of a panel that is drawn into axes of a figure whose other axes are not seen."""
    figure.set_size_inches(panel.size)
    axes.set_visible(True)
    svg = _transparent(figure, axes, panel)
    axes.set_visible(False)
    return _embeddable(svg, name, panel.size[0], panel.title, panel.description)


def inline_svgs(plot: Plot | ExternalPlot) -> list[str]:
    """Each panel as an SVG element for an HTML page, transparent, without the title above it and without a legend."""
    if isinstance(plot, ExternalPlot):
        titles = [plot.title] if len(plot.panels) == 1 else [f"{plot.title} {i + 1}" for i in range(len(plot.panels))]
        return [_inline_external(make, plot.size, f"{plot.name}-{i}", titles[i]) for i, make in enumerate(plot.panels)]
    return [_inline(panel, f"{plot.name}-{i}") for i, panel in enumerate(plot.panels)]


def render_files(plot: Plot | ExternalPlot, kinds: Sequence[str] = ("svg", "png")) -> dict[str, bytes]:
    """All panels and the legend on one white sheet, by kind of file.

    Args:
        plot: The figure that is drawn.
        kinds: Kinds of files that are wanted, of ``svg`` and ``png``.
    """
    with matplotlib.rc_context(PAGE):
        if isinstance(plot, ExternalPlot):
            with external_figure(plot.whole, plot.whole_size) as figure:
                return {kind: save_figure(figure, kind, cut=True) for kind in kinds}
        figure = draw_sheet(plot, *_sheet_of(plot))
        return {kind: save_figure(figure, kind) for kind in kinds}


def _sheet_of(plot: Plot) -> tuple[int, tuple[float, float]]:
    """Number of panels in a row of the sheet, and the size in inches that each takes."""
    width, height = plot.panels[0].size
    return min(len(plot.panels), 4 if plot.shared_rows else _COLUMNS), (width * (0.8 if plot.shared_rows else 1), height + 0.2)


def paper_figures(plot: Plot | ExternalPlot, font: str) -> dict[str, bytes]:
    """The sheet as vector PDF for a paper, by the name of each of `WIDTHS`.

    Args:
        plot: The figure that is drawn.
        font: Family of the paper's font; what it lacks is taken from the font of the page.
    """
    with matplotlib.rc_context(paper_settings(font)):
        return {name: _paper_figure(plot, width) for name, width in WIDTHS.items()}


def _paper_figure(plot: Plot | ExternalPlot, width: float) -> bytes:
    if isinstance(plot, ExternalPlot):
        shape = plot.whole_size[1] / plot.whole_size[0]
        with external_figure(plot.whole, (width, width * max(shape, 0.4))) as figure:
            return save_figure(figure, "pdf", cut=True)
    columns = min(len(plot.panels), int(width / _NARROWEST))
    panel_width, (page_width, height) = width / columns, plot.panels[0].size
    least, most = _SHRINKING
    share = min(max(panel_width / page_width, least), most)
    return save_figure(draw_sheet(plot, columns, (panel_width, (height + 0.2) * share)), "pdf")


def _inline(panel: Panel, name: str) -> str:
    with matplotlib.rc_context(PAGE):
        figure = Figure(panel.size, layout="constrained")
        svg = _transparent(figure, figure.add_subplot(), panel)
    return _embeddable(svg, name, panel.size[0], panel.title, panel.description)


def _transparent(figure: Figure, axes: Axes, panel: Panel) -> str:
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    draw_panel(panel, axes)
    lay_out(figure, [axes], 1)
    return save_figure(figure, "svg").decode()


def _inline_external(make: Callable[[], Figure], size: tuple[float, float], name: str, title: str) -> str:
    with matplotlib.rc_context(PAGE), external_figure(make, size) as figure:
        figure.patch.set_visible(False)
        return _embeddable(save_figure(figure, "svg", cut=True).decode(), name, size[0], title, "")


def _embeddable(svg: str, name: str, inches: float, title: str, description: str) -> str:
    """An SVG element for a page, with names of its own and words for who cannot see it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)  # several SVGs share the page's names
    svg = svg.replace(TEXT_COLOUR, "var(--ink)").replace(GRID_COLOUR, "var(--rule)").strip()
    words, named = f'<title id="{name}-title">{_text(title)}</title>', f'aria-labelledby="{name}-title"'
    if description:
        words += f'<desc id="{name}-desc">{_text(description)}</desc>'
        named += f' aria-describedby="{name}-desc"'
    head = f'<svg\\1 role="img" {named} style="max-width: {inches * _PIXELS_PER_INCH:.0f}px"'
    svg = re.sub(r'<svg\b([^>]*?) width="[^"]*" height="[^"]*"', head, svg, count=1)
    opening = svg.index(">") + 1
    return svg[:opening] + words + svg[opening:]


def _text(text: str) -> str:
    return escape(without_control_characters(text))
