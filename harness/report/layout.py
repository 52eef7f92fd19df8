"""Where the axes of a figure stand: in a grid whose columns and rows leave room for what is written around axes.

Matplotlib's own layout engine measures everything twice and takes as long as all of the drawing; it is left to figures whose
panels add axes of their own.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import accumulate

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_PAD = 0.04  # inches around what is drawn
_LIKELY = (0.5, 0.45, 0.1, 0.2)
"""Inches that labels and a title are likely to need on the left, below, on the right and above."""

_MOST_TRIES = 3


@contextmanager
def quietly() -> Generator[None]:
    """Without matplotlib's remarks on a script that no font here has, or a name that leaves no room."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def lay_out(figure: Figure, grid: Sequence[Axes], columns: int) -> None:
    """Place axes once and for all; the figure has no layout engine afterwards.

    Args:
        figure: The figure, with a layout engine and everything drawn; a legend stands at its lower edge.
        grid: The axes row by row; others, which are not to be seen, stay where they are.
        columns: Number of axes in a row.
    """
    engine = figure.get_layout_engine()
    with quietly():
        if [axes for axes in figure.axes if axes.get_visible()] == list(grid):
            figure.set_layout_engine(None)
            _fill(figure, grid, columns)
        elif engine is not None:  # a panel has added axes
            engine.execute(figure)
    figure.set_layout_engine(None)  # with an engine matplotlib would lay out, and draw, once more for each file


def _fill(figure: Figure, grid: Sequence[Axes], columns: int) -> None:
    """Let all axes have the same size, as large as what stands around them allows."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    pad = _PAD * figure.dpi
    foot = max((legend.get_window_extent(renderer).height + pad for legend in figure.legends), default=0.0)
    _place_about_right(figure, grid, columns, foot)
    for _ in range(_MOST_TRIES):
        ticks = _ticks(grid)
        _place(figure, grid, columns, foot, np.stack([_margins(axes, renderer) + pad for axes in grid]))
        if _ticks(grid) == ticks:  # otherwise their labels may need more room than was measured
            return


def _ticks(grid: Sequence[Axes]) -> list[bytes]:
    return [np.asarray(axis.get_majorticklocs()).tobytes() for axes in grid for axis in (axes.xaxis, axes.yaxis)]


def _place(figure: Figure, grid: Sequence[Axes], columns: int, foot: float, margins: np.ndarray) -> None:
    """Place axes above the foot of a figure, with margins on their left, below, on their right and above, in pixels."""
    rows = -(-len(grid) // columns)
    around = np.zeros((rows * columns, 4))
    around[: len(grid)] = margins
    around = around.reshape(rows, columns, 4)
    left, right = around[..., 0].max(axis=0), around[..., 2].max(axis=0)
    below, above = around[..., 1].max(axis=1), around[..., 3].max(axis=1)
    width, height = figure.bbox.size
    inner_width = (width - left.sum() - right.sum()) / columns
    inner_height = (height - foot - below.sum() - above.sum()) / rows
    if inner_width <= 0 or inner_height <= 0:
        return  # names leave no room
    starts = [0, *accumulate(left + inner_width + right)]
    bottoms = [height - end for end in accumulate(above + inner_height + below)]
    for i, axes in enumerate(grid):
        row, column = divmod(i, columns)
        x, y = starts[column] + left[column], bottoms[row] + below[row]
        axes.set_position((x / width, y / height, inner_width / width, inner_height / height))


def _place_about_right(figure: Figure, grid: Sequence[Axes], columns: int, foot: float) -> None:
    """Place axes so that they have about the size, and so the ticks, that they will have in the end."""
    rows = -(-len(grid) // columns)
    cell = np.array([figure.bbox.width / columns, (figure.bbox.height - foot) / rows])
    margins = np.minimum(np.array(_LIKELY) * figure.dpi, 0.3 * cell[[0, 1, 0, 1]])
    _place(figure, grid, columns, foot, np.tile(margins, (len(grid), 1)))


def _margins(axes: Axes, renderer: RendererBase) -> np.ndarray:
    """How far what stands around axes reaches beyond them: on the left, below, on the right and above, in pixels."""
    around, inner = axes.get_tightbbox(renderer), axes.get_window_extent()
    if around is None:
        return np.zeros(4)
    return np.maximum([inner.x0 - around.x0, inner.y0 - around.y0, around.x1 - inner.x1, around.y1 - inner.y1], 0)
