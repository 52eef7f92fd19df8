"""Figures that functions of another package draw, in the colours of ours."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, NullFormatter

from harness.report.figure_settings import GRID_COLOUR, TEXT_COLOUR


@contextmanager
def external_figure(make: Callable[[], Figure], size: tuple[float, float]) -> Generator[Figure]:
    """Somebody else's figure in our colours, under the settings in force; it is closed at the end.

    Args:
        make: Makes the figure, with pyplot if it likes; what it changes for the whole process is the caller's to put back.
        size: Width and height in inches.
    """
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    figure = make()
    try:
        figure.set_layout_engine("none")  # what stands beside its axes is not cut off, as the caller saves all that is drawn
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
