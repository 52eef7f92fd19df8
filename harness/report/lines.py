"""Lines over an axis of steps or scores, with bands, as every figure draws them."""

from __future__ import annotations

from typing import Any

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
    known = points.drop_nulls(list(ends))
    axes.fill_between(known[x], known[ends[0]], known[ends[1]], color=style.colour, alpha=0.16, linewidth=0, **look)


def set_steps_axis(axes: Axes, label: str) -> None:
    """A horizontal axis of steps, from 0, with few and short numbers."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.02)
    axes.set_xlim(left=0)
