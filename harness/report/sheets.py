"""Whole sheets: all panels of a figure and its legend, in a size and with settings that somebody else has chosen."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from harness.errors import without_control_characters
from harness.report.drawing import Panel, Plot, Style
from harness.report.layout import lay_out, quietly

_RESOLUTION = 150  # of PNG files, in dots per inch
_NOTHING = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_LEGEND_LINE, _TITLE_LINE = 0.2, 0.16  # inches
_LEGEND_HANDLE = 40  # points that the line before a label takes, with the space around
_SURELY_FITS = 0.5  # of a panel's width, which the axes have at least
_NARROW = 2.3  # inches of a panel that has room for few labels


def draw_sheet(plot: Plot, columns: int, panel_size: tuple[float, float]) -> Figure:
    """Panels in rows under their titles, above the legend.

    Args:
        plot: What is drawn.
        columns: Number of panels in a row.
        panel_size: Width and height in inches that a panel takes with its labels.
    """
    figure = Figure(_sheet_size(plot, columns, panel_size), layout="constrained")
    drawn = add_axes(figure, plot, columns)
    for panel, axes in zip(plot.panels, drawn, strict=True):
        draw_panel(panel, axes)
    _complete_sheet(figure, drawn, plot, columns, panel_size)
    return figure


def add_axes(figure: Figure, plot: Plot, columns: int) -> list[Axes]:
    """Axes for each panel, in rows of so many."""
    rows = -(-len(plot.panels) // columns)
    return [figure.add_subplot(rows, columns, i + 1) for i in range(len(plot.panels))]


def turn_into_sheet(figure: Figure, plot: Plot, columns: int, panel_size: tuple[float, float]) -> None:
    """Make the sheet that `draw_sheet` would draw of a figure that holds the axes of `add_axes` with every panel drawn."""
    figure.set_size_inches(_sheet_size(plot, columns, panel_size))
    figure.set_layout_engine("constrained")
    for axes in figure.axes:
        axes.set_in_layout(True)
        if (place := axes.get_subplotspec()) is not None:
            axes.set_subplotspec(place)  # back into the grid, out of which laying out took it
    _complete_sheet(figure, figure.axes, plot, columns, panel_size)


def _sheet_size(plot: Plot, columns: int, panel_size: tuple[float, float]) -> tuple[float, float]:
    rows, width = -(-len(plot.panels) // columns), columns * panel_size[0]
    legend_rows = -(-len(plot.legend) // _legend_columns(plot.legend, width))
    return width, rows * panel_size[1] + _LEGEND_LINE * legend_rows


def _complete_sheet(figure: Figure, drawn: Sequence[Axes], plot: Plot, columns: int, panel_size: tuple[float, float]) -> None:
    """Add the legend and titles, and lay out."""
    for i, axes in enumerate(drawn):
        if plot.shared_rows and i % columns:
            axes.set_yticklabels([])
        locator = axes.xaxis.get_major_locator()
        if panel_size[0] < _NARROW and isinstance(locator, MaxNLocator):
            locator.set_params(nbins=3)
    _add_legend(figure, plot.legend, _legend_columns(plot.legend, columns * panel_size[0]))
    _add_titles(figure, [panel.title for panel in plot.panels], drawn, columns)
    lay_out(figure, drawn, columns)


def _add_titles(figure: Figure, titles: Sequence[str], drawn: Sequence[Axes], columns: int) -> None:
    """Titles in as many lines as they need, for which the figure grows."""
    if not all(_title_fits(title, _SURELY_FITS * 72 * figure.get_figwidth() / columns) for title in titles):
        with quietly():
            figure.draw_without_rendering()  # to know how wide axes are beside their labels
        titles = [
            wrapped_title(title, axes.get_window_extent().width * 72 / figure.dpi)
            for title, axes in zip(titles, drawn, strict=True)
        ]
    for title, axes in zip(titles, drawn, strict=True):
        axes.set_title(title, loc="left", linespacing=1.05)
    lines = [max(title.count("\n") for title in titles[i : i + columns]) for i in range(0, len(titles), columns)]
    figure.set_figheight(figure.get_figheight() + _TITLE_LINE * sum(lines))


def draw_panel(panel: Panel, axes: Axes) -> None:
    """What a panel shows, without its title."""
    axes.tick_params(length=2.5, width=0.6)
    panel.draw(axes)


def save_figure(figure: Figure, file_format: str, *, cut: bool = False) -> bytes:
    """The figure as it is laid out, or ``cut`` to what is drawn, whether that is more or less.

    Args:
        figure: The figure that is saved.
        file_format: ``svg``, ``png`` or ``pdf``.
        cut: Whether the sheet is fitted to what is drawn.
    """
    buffer = io.BytesIO()
    resolution, box = _RESOLUTION if file_format == "png" else 72, "tight" if cut else None
    with quietly():
        figure.savefig(buffer, format=file_format, metadata=_NOTHING[file_format], dpi=resolution, bbox_inches=box)
    if file_format == "svg":  # which no program opens with such characters in it
        return without_control_characters(buffer.getvalue().decode()).encode()
    return buffer.getvalue()


def wrapped_title(title: str, points: float) -> str:
    """A title in lines that are no wider than so many points in the settings in force; long words are broken."""
    lines = [""]
    for part in re.findall(r"\s+|[^\s/_-]+[/_-]*|[/_-]+", title):
        for piece in (part,) if _title_fits(part, points) else part:
            longer = lines[-1] + piece
            if lines[-1].strip() and not _title_fits(longer, points):
                lines.append(piece.lstrip())
            else:
                lines[-1] = longer
    return "\n".join(line.rstrip() for line in lines)


def _title_fits(text: str, points: float) -> bool:
    """Whether a title is no wider than so many points in the settings in force."""
    settings = matplotlib.rcParams
    look = tuple(settings["font.family"]), settings["axes.titlesize"], settings["axes.titleweight"]
    return _most_width(text.strip(), *look) <= points or _width(text.strip(), *look) <= points


def _legend_columns(styles: Mapping[str, Style], width: float) -> int:
    """Number of labels that fit side by side into so many inches."""
    families, size = tuple(matplotlib.rcParams["font.family"]), matplotlib.rcParams["font.size"]
    widest = max((_width(label, families, size, "normal") for label in styles), default=0.0)
    return max(1, min(len(styles), int(72 * width / (widest + _LEGEND_HANDLE))))


@lru_cache(maxsize=4096)
def _width(text: str, families: Sequence[str], size: float, weight: str) -> float:
    """The width of one line in points."""
    return float(_outline(text, families, size, weight).get_extents().x1) if text else 0.0


@lru_cache(maxsize=4096)
def _most_width(text: str, families: Sequence[str], size: float, weight: str) -> float:
    """A width in points that one line does not exceed, and hardly ever falls short of: curves stay within their points.

    To find out how far curves reach takes hundreds of times as long.
    """
    return float(_outline(text, families, size, weight).vertices[:, 0].max(initial=0.0)) if text else 0.0


def _outline(text: str, families: Sequence[str], size: float, weight: str) -> TextPath:
    with quietly():
        return TextPath((0, 0), text, prop=FontProperties(family=list(families), size=size, weight=weight))


def _add_legend(figure: Figure, styles: Mapping[str, Style], columns: int) -> None:
    if not styles:
        return
    handles = [Line2D([], [], color=style.colour, linestyle=style.line, linewidth=2) for style in styles.values()]
    # Labels are set afterwards, for matplotlib drops those that begin with an underscore.
    legend = figure.legend(handles, [" " * len(label) for label in styles], loc="outside lower center", ncols=columns)
    for text, label in zip(legend.get_texts(), styles, strict=True):
        text.set_text(label)
