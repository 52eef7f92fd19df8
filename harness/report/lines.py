"""Lines over an axis of steps or scores, with bands, as every figure draws them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from harness.report.drawing import Style


def draw_line(axes: Axes, style: Style, points: pl.DataFrame, x: str, **look: Any) -> None:
    """A line through points, with the columns ``x`` and ``value``, in the look of a method."""
    axes.plot(points[x], points["value"], color=style.colour, linestyle=style.line, linewidth=1.7, **look)


def draw_band(
    axes: Axes, style: Style, points: pl.DataFrame, x: str, ends: tuple[str, str] = ("low", "high"), **look: Any
) -> None:
    """A band between two columns of points, where both are known, in the look of a method."""
    along, low, high = (points[name].to_numpy() for name in (x, *ends))
    known = ~(np.isnan(low) | np.isnan(high))
    axes.fill_between(along[known], low[known], high[known], color=style.colour, alpha=0.16, linewidth=0, **look)


@contextmanager
def limits_at_the_end(axes: Axes) -> Generator[None]:
    """Within the block lines and bands are drawn, after which limits are found once; matplotlib finds them for each band."""
    axes.autoscale(enable=False)
    yield
    axes.autoscale(enable=True)


def set_steps_axis(axes: Axes, label: str) -> None:
    """A horizontal axis of steps, from 0, with few and short numbers."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.02)
    axes.set_xlim(left=0)
