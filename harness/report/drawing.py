"""From panels to pictures: SVG that takes the page's colours and fonts, and whole sheets as SVG or PNG files.

Pictures are the same to the byte whenever they are drawn from the same numbers.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, NullFormatter

from harness.errors import without_control_characters

Line = Literal["-", "--", ":", "-."]

TEXT_COLOUR, GRID_COLOUR = "#1b1f24", "#d0d4da"
"""Text and axes, and grid lines; on the page they follow its light or dark scheme."""

_BASELINE = "#7d838c"
# The palette `colorblind` of seaborn without its greys and yellows, which vanish on white.
_COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#56b4e9", "#ca9161")
_LINES: tuple[Line, ...] = ("-", "--", ":", "-.")
_COLUMNS = 3
_RESOLUTION = 150  # of PNG files, in dots per inch
_PIXELS_PER_INCH = 108  # at which text on the page has the size of the text around it

_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titley": 1.0,  # matplotlib need not search for a place
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": TEXT_COLOUR,
    "axes.labelcolor": TEXT_COLOUR,
    "axes.titlecolor": TEXT_COLOUR,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": GRID_COLOUR,
    "grid.linewidth": 0.6,
    "text.color": TEXT_COLOUR,
    "text.parse_math": False,  # a `$` in a name is a dollar
    "xtick.color": TEXT_COLOUR,
    "ytick.color": TEXT_COLOUR,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "harness",
}


@dataclass(frozen=True)
class Style:
    """How a method is drawn, everywhere in a suite's report."""

    colour: str
    line: Line = "-"


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Attributes:
        title: Text above the axes.
        draw: Draws into the axes.
        size: Width and height in inches, apart from labels on the vertical axis that neighbours share.
    """

    title: str
    draw: Callable[[Axes], None]
    size: tuple[float, float] = (3.7, 2.7)


@dataclass(frozen=True)
class Plot:
    """Panels that belong together.

    Attributes:
        name: Stem of the file it is written to.
        title: What it shows in words, for who cannot see it.
        panels: The panels, at least one.
        legend: Styles by label, drawn outside the axes; empty where the axes name the methods.
        shared_rows: Whether all panels have the same labels on their vertical axis.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    legend: Mapping[str, Style]
    shared_rows: bool = False


@dataclass(frozen=True)
class ExternalPlot:
    """Figures that functions of another package draw; they are styled like the others.

    Attributes:
        name: Stem of the file they are written to.
        title: What they show in words, for who cannot see them.
        panels: Each makes one figure for the page.
        whole: Makes all of it as one figure, for a file.
        size: Width and height of a panel in inches.
        whole_size: Width and height of the whole in inches.
    """

    legend: ClassVar[Mapping[str, Style]] = {}
    shared_rows: ClassVar[bool] = False

    name: str
    title: str
    panels: tuple[Callable[[], Figure], ...]
    whole: Callable[[], Figure]
    size: tuple[float, float] = (6.4, 3.4)
    whole_size: tuple[float, float] = (6.4, 3.4)


def method_styles(labels: Sequence[str], baseline: str | None) -> dict[str, Style]:
    """Grey for the baseline, and colours that colour-blind readers can tell apart for the others, in alphabetical order."""
    others = sorted(label for label in labels if label != baseline)
    looks = [Style(colour, line) for line, colour in product(_LINES, _COLOURS)]
    styles = {label: looks[i % len(looks)] for i, label in enumerate(others)}
    return styles if baseline is None else {baseline: Style(_BASELINE), **styles}


def inline_svgs(plot: Plot | ExternalPlot) -> list[str]:
    """Each panel as an SVG element for an HTML page, transparent and without a legend."""
    if isinstance(plot, ExternalPlot):
        return [_inline_external(make, plot.size, f"{plot.name}-{i}") for i, make in enumerate(plot.panels)]
    return [_inline(panel, f"{plot.name}-{i}") for i, panel in enumerate(plot.panels)]


def render_files(plot: Plot | ExternalPlot) -> dict[str, bytes]:
    """All panels and the legend on one white sheet, as ``svg`` and as ``png``."""
    if isinstance(plot, ExternalPlot):
        with _external_figure(plot.whole, plot.whole_size) as figure:
            return {"svg": _save(figure, "svg", cut=True), "png": _save(figure, "png", cut=True)}
    columns = min(len(plot.panels), 4 if plot.shared_rows else _COLUMNS)
    rows = -(-len(plot.panels) // columns)
    width = columns * plot.panels[0].size[0] * (0.8 if plot.shared_rows else 1)
    legend_rows = -(-len(plot.legend) // max(1, int(width / 1.6)))
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure((width, rows * plot.panels[0].size[1] + 0.3 * legend_rows), layout="constrained")
        for i, panel in enumerate(plot.panels):
            axes = figure.add_subplot(rows, columns, i + 1)
            _draw(panel, axes)
            if plot.shared_rows and i % columns:
                axes.set_yticklabels([])
        _add_legend(figure, plot.legend, width)
        vector = _save(figure, "svg")
        figure.set_layout_engine("none")  # as it is laid out now
        return {"svg": vector, "png": _save(figure, "png")}


def _inline(panel: Panel, name: str) -> str:
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(panel.size, layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        _draw(panel, axes)
        svg = _save(figure, "svg").decode()
    return _embeddable_svg(svg, name, panel.size[0])


def _inline_external(make: Callable[[], Figure], size: tuple[float, float], name: str) -> str:
    with _external_figure(make, size) as figure:
        figure.patch.set_visible(False)
        return _embeddable_svg(_save(figure, "svg", cut=True).decode(), name, size[0])


@contextmanager
def _external_figure(make: Callable[[], Figure], size: tuple[float, float]) -> Generator[Figure]:
    """Somebody else's figure in our colours; the settings that its maker changes for the whole process are put back."""
    from matplotlib import pyplot

    with matplotlib.rc_context(_SETTINGS):
        pyplot.switch_backend("agg")
        figure = make()
        try:
            figure.set_layout_engine("none")  # what stands beside its axes is not cut off, see `_save`
            figure.set_size_inches(size)
            _restyle(figure)
            yield figure
        finally:
            pyplot.close(figure)


def _restyle(figure: Figure) -> None:
    figure.patch.set_facecolor("white")
    for axes in figure.axes:
        axes.set_facecolor("none")
        axes.tick_params(length=2.5, width=0.6, colors=TEXT_COLOUR)
        for spine in axes.spines.values():
            spine.set_color(TEXT_COLOUR)
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() == "log":  # whose own labels are formulas, which texts here are not
                axis.set_major_formatter(FuncFormatter(_plain_number))
                axis.set_minor_formatter(NullFormatter())
        if axes.get_label() != "<colorbar>":
            axes.grid(visible=True, color=GRID_COLOUR, linewidth=0.6)
        if legend := axes.get_legend():
            legend.set_frame_on(False)
    for text in figure.findobj(Text):
        text.set_color(TEXT_COLOUR)


def _plain_number(value: float, position: float | None) -> str:
    return f"{value:g}"


def _embeddable_svg(svg: str, name: str, inches: float) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)  # several SVGs share the page's names
    width = inches * _PIXELS_PER_INCH
    svg = re.sub(
        r'<svg\b([^>]*?) width="[^"]*" height="[^"]*"', rf'<svg\1 role="img" style="max-width: {width:.0f}px"', svg, count=1
    )
    return svg.replace(TEXT_COLOUR, "var(--ink)").replace(GRID_COLOUR, "var(--rule)").strip()


def _draw(panel: Panel, axes: Axes) -> None:
    axes.set_title(panel.title, loc="left")
    axes.tick_params(length=2.5, width=0.6)
    panel.draw(axes)


def _add_legend(figure: Figure, styles: Mapping[str, Style], width: float) -> None:
    if not styles:
        return
    handles = [Line2D([], [], color=style.colour, linestyle=style.line, linewidth=2) for style in styles.values()]
    columns = max(1, min(len(styles), int(width / 1.6)))
    # Labels are set afterwards, for matplotlib drops those that begin with an underscore.
    legend = figure.legend(handles, [" " * len(label) for label in styles], loc="outside lower center", ncols=columns)
    for text, label in zip(legend.get_texts(), styles, strict=True):
        text.set_text(label)


def _save(figure: Figure, file_format: str, *, cut: bool = False) -> bytes:
    """The figure as it is laid out, or ``cut`` to what is drawn, whether that is more or less."""
    buffer = io.BytesIO()
    nothing = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[file_format]
    resolution, box = _RESOLUTION if file_format == "png" else 72, "tight" if cut else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a script that no font here has, a name that leaves no room
        figure.savefig(buffer, format=file_format, metadata=nothing, dpi=resolution, bbox_inches=box)
    if file_format == "svg":  # which no program opens with such characters in it
        return without_control_characters(buffer.getvalue().decode()).encode()
    return buffer.getvalue()
