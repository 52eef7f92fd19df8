"""Curves of what happened in training: one panel for each task and quantity, one line for each method."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from harness.analysis.parts import parts_of
from harness.report.descriptions import describe_curves
from harness.report.drawing import Panel, Style
from harness.report.lines import draw_band, draw_line, limits_at_the_end, set_steps_axis

_LEAST_RATIO = 20.0
"""Ratio of the largest to the smallest value from which on an axis shows factors and not differences."""


_ROUNDING = 1e-9


def curve_panel(
    title: str,
    table: pl.DataFrame,
    styles: Mapping[str, Style],
    axis: str,
    *,
    ends: tuple[str, str],
    by_factors: bool = False,
) -> Panel:
    """Lines over steps with bands.

    Args:
        title: Text above the axes.
        table: A row for each method and step, with ``method``, ``step``, ``value`` and the columns of the band.
        styles: How methods are drawn, by label, in the order in which they stand.
        axis: Text beside the vertical axis.
        ends: Columns of the lower and the upper end of the band.
        by_factors: Whether large ratios are shown on an axis of factors.
    """
    drawing = _drawing(table, styles, axis, ends, by_factors=by_factors)
    return Panel(title, drawing, description=describe_curves(table.sort("method", "step")), scalable=True)


def _drawing(
    table: pl.DataFrame, styles: Mapping[str, Style], axis: str, ends: tuple[str, str], *, by_factors: bool
) -> Callable[[Axes], None]:
    labels, parts = present_methods(table, styles), parts_of(table.sort("step", maintain_order=True), "method")
    smallest, largest = _range(table["value"])
    highest = max(largest, _range(table[ends[1]])[1])

    def draw(axes: Axes) -> None:
        with limits_at_the_end(axes):
            for label in reversed(labels):
                part, style = parts[label,], styles[label]
                draw_line(axes, style, part, "step", marker="o" if len(part) == 1 else None, markersize=3)
                draw_band(axes, style, part, "step", ends)
        set_steps_axis(axes, "steps")
        axes.set_ylabel(axis)
        if by_factors and smallest > 0 and largest / smallest >= _LEAST_RATIO:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(_plain))
            axes.yaxis.set_minor_formatter(NullFormatter())
        elif smallest >= 0:
            axes.set_ylim(0, 1.05 * highest or 1)

    return draw


def _plain(value: float, position: float | None) -> str:
    return f"{value:g}"


def present_methods(table: pl.DataFrame, styles: Mapping[str, Style]) -> list[str]:
    """The methods that have a row, in the order of ``styles``."""
    present = set(table["method"])
    return [label for label in styles if label in present]


def shows_something(table: pl.DataFrame) -> bool:
    """Whether a chart of the table would show more than one and the same number, rounding aside."""
    smallest, largest = _range(table["value"])
    return largest - smallest > _ROUNDING * max(abs(smallest), abs(largest))


def _range(values: pl.Series) -> tuple[float, float]:
    known = values.drop_nulls()
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)  # type: ignore[arg-type]  # a column of numbers
