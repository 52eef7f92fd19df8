"""Whole sheets: all panels of a figure and its legend, in a size and with settings that somebody else has chosen."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from harness.errors import without_control_characters
from harness.report.drawing import Panel, Plot, Style

_RESOLUTION = 150  # of PNG files, in dots per inch
_NOTHING = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_LEGEND_COLUMN = 1.6  # inches that a label takes with the line before it


def draw_sheet(plot: Plot, columns: int, panel_size: tuple[float, float]) -> Figure:
    """Panels in rows under their titles, above the legend.

    Args:
        plot: What is drawn.
        columns: Number of panels in a row.
        panel_size: Width and height in inches that a panel takes with its labels.
    """
    rows, width = -(-len(plot.panels) // columns), columns * panel_size[0]
    legend_columns = max(1, min(len(plot.legend), int(width / _LEGEND_COLUMN)))
    legend_rows = -(-len(plot.legend) // legend_columns)
    titles = [wrapped_title(panel.title, 72 * panel_size[0] * 0.86) for panel in plot.panels]
    extra = sum(max(title.count("\n") for title in titles[i : i + columns]) for i in range(0, len(titles), columns))
    figure = Figure((width, rows * panel_size[1] + 0.16 * extra + 0.3 * legend_rows), layout="constrained")
    for i, panel in enumerate(plot.panels):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.set_title(titles[i], loc="left")
        draw_panel(panel, axes)
        if plot.shared_rows and i % columns:
            axes.set_yticklabels([])
    _add_legend(figure, plot.legend, legend_columns)
    return figure


def draw_panel(panel: Panel, axes: Axes) -> None:
    """What a panel shows, without its title."""
    axes.tick_params(length=2.5, width=0.6)
    panel.draw(axes)


def save_figure(figure: Figure, file_format: str, *, cut: bool = False) -> bytes:
    """The figure as it is laid out, or ``cut`` to what is drawn, whether that is more or less.

    Args:
        figure: The figure.
        file_format: ``svg``, ``png`` or ``pdf``.
        cut: Whether the sheet is fitted to what is drawn.
    """
    buffer = io.BytesIO()
    resolution, box = _RESOLUTION if file_format == "png" else 72, "tight" if cut else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a script that no font here has, a name that leaves no room
        figure.savefig(buffer, format=file_format, metadata=_NOTHING[file_format], dpi=resolution, bbox_inches=box)
    if file_format == "svg":  # which no program opens with such characters in it
        return without_control_characters(buffer.getvalue().decode()).encode()
    return buffer.getvalue()


def wrapped_title(title: str, points: float) -> str:
    """A title in lines that are no wider than so many points in the settings in force; long words are broken."""
    settings = matplotlib.rcParams
    families, size, weight = settings["font.family"], settings["axes.titlesize"], settings["axes.titleweight"]
    lines = [""]
    for part in re.findall(r"\s+|[^\s/_-]+[/_-]*|[/_-]+", title):
        for piece in (part,) if _width(part, tuple(families), size, weight) <= points else part:
            longer = lines[-1] + piece
            if lines[-1].strip() and _width(longer.rstrip(), tuple(families), size, weight) > points:
                lines.append(piece.lstrip())
            else:
                lines[-1] = longer
    return "\n".join(line.rstrip() for line in lines)


@lru_cache(maxsize=4096)
def _width(text: str, families: Sequence[str], size: float, weight: str) -> float:
    """The width of one line in points."""
    if not text.strip():
        return 0.0
    font = FontProperties(family=list(families), size=size, weight=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a script that no font here has
        return float(TextPath((0, 0), text.strip(), prop=font).get_extents().x1)


def _add_legend(figure: Figure, styles: Mapping[str, Style], columns: int) -> None:
    if not styles:
        return
    handles = [Line2D([], [], color=style.colour, linestyle=style.line, linewidth=2) for style in styles.values()]
    # Labels are set afterwards, for matplotlib drops those that begin with an underscore.
    legend = figure.legend(handles, [" " * len(label) for label in styles], loc="outside lower center", ncols=columns)
    for text, label in zip(legend.get_texts(), styles, strict=True):
        text.set_text(label)
