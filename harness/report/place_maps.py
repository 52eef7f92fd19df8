"""Maps of where methods went: a row of small maps for each method, one for each share of training, and one of the bonus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import LogLocator, MaxNLocator

from harness.analysis.visit_tables import Whereabouts
from harness.report.drawing import TEXT_COLOUR, Panel
from harness.report.wording import format_significant
from harness.runs.visits import MapRecord

_WIDTH = 7.4  # inches
_MAP_WIDTH, _GAP, _LEFT, _BAR = 0.25, 0.03, 0.07, 0.015  # shares of the panel's width
_TITLE, _FOOT = 0.24, 0.36  # inches above and below a row of maps
_LEAST_WIDTH, _SMALLER = 5.0, 0.7  # inches of a figure in which texts have their size, and what their size is times in others
_HEAD = 0.25  # inches of the panel's own title
_FLATTEST = 0.2  # times as tall as wide; what is flatter has axes that cannot be compared
_TALLEST = 1.6  # times as tall as wide
_PIXELS = 160  # of a map's longer side, about
_COLOURS = colormaps["viridis"]
_WALL = (0.55, 0.57, 0.60, 1.0)
_SCALED_BY_FACTORS = 30.0
"""Ratio of the largest to the smallest bonus from which on its colours show factors and not differences."""


@dataclass(frozen=True)
class Frame:
    """The part of a map that is drawn.

    Attributes:
        map: Map of which it is a part.
        rows: First row and the one after the last.
        columns: First column and the one after the last.
    """

    map: MapRecord
    rows: tuple[int, int]
    columns: tuple[int, int]

    @classmethod
    def around(cls, place_map: MapRecord, visited: np.ndarray) -> Frame:
        """The whole map where its axes or walls say how large it is; else as much as was come to, and a cell around it.

        Args:
            place_map: Map of all places.
            visited: Cells that anybody has come to, bool ``(cells,)``.
        """
        size = (place_map.rows, place_map.columns)
        if place_map.walls or place_map.row_range or place_map.column_range or not visited.any():
            return cls(place_map, (0, size[0]), (0, size[1]))
        ends = [(int(axis.min()), int(axis.max()) + 1) for axis in np.nonzero(visited.reshape(size))]
        rows, columns = ((max(0, low - 1), min(most, high + 1)) for (low, high), most in zip(ends, size, strict=True))
        return cls(place_map, rows, columns)

    @property
    def height(self) -> float:
        """How tall it is drawn, as a multiple of its width."""
        left, right, bottom, top = self.extent
        alike = (self.map.row_range is None) == (self.map.column_range is None)
        ratio = abs(top - bottom) / abs(right - left) if alike else 1.0
        if not _FLATTEST <= ratio <= 1 / _FLATTEST:
            return 1.0  # axes of different units
        return min(ratio, _TALLEST)

    def cut(self, values: np.ndarray) -> np.ndarray:
        """The values of cells that are drawn, ``(rows, columns)``."""
        table = values.reshape(self.map.rows, self.map.columns)
        return table[self.rows[0] : self.rows[1], self.columns[0] : self.columns[1]]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The values at the left, right, lower and upper edge."""
        left, right = _edges(self.map.column_range, self.columns, self.map.columns)
        top, bottom = _edges(self.map.row_range, self.rows, self.map.rows)
        return left, right, bottom, top


def _edges(ends: tuple[float, float] | None, shown: tuple[int, int], cells: int) -> tuple[float, float]:
    if ends is None:
        return shown[0] - 0.5, shown[1] - 0.5
    first, last = (ends[0] + (ends[1] - ends[0]) * edge / cells for edge in shown)
    return first, last


def method_panel(title: str, places: Mapping[float, Whereabouts], frame: Frame, scale: tuple[float, float]) -> Panel:
    """The maps of one method.

    Args:
        title: Names of task and method.
        places: Where its runs had been by each share of training.
        frame: The part of the map that is drawn.
        scale: The smallest and the largest share of steps that is told by a colour.
    """
    with_bonus = [there.bonus for there in places.values() if there.bonus is not None and np.isfinite(there.bonus).any()]
    rows = 2 if with_bonus else 1
    row_height = _WIDTH * _MAP_WIDTH * frame.height + _TITLE + _FOOT
    height = rows * row_height

    def draw(axes: Axes) -> None:
        axes.set_axis_off()
        visits = [(mark, there.step, frame.cut(there.shares)) for mark, there in places.items()]
        bonuses = [(mark, there.step, frame.cut(there.bonus)) for mark, there in places.items() if there.bonus is not None]
        norms = LogNorm(*scale), _bonus_norm(with_bonus)
        for row, (what, cells, norm) in enumerate(zip(("visits", "bonus"), (visits, bonuses), norms, strict=True)):
            if row < rows and norm is not None:
                _row_of_maps(axes, 1 - (row + 1) / rows, rows, row_height, frame, what, cells, norm)

    visited = (f"{np.count_nonzero(there.shares):,} cells visited by step {there.step:,}" for there in places.values())
    return Panel(title, draw, (_WIDTH, height + _HEAD), f"{'; '.join(visited)}.")


Cells = list[tuple[float, int, np.ndarray]]


def _row_of_maps(
    axes: Axes, bottom: float, rows: int, inches: float, frame: Frame, what: str, cells: Cells, norm: Normalize
) -> None:
    """One row of maps and the scale of its colours, in the part of the axes above ``bottom``.

    The maps stand in one set of axes, for a set of its own for each takes several times as long to draw.
    """
    height = (inches - _TITLE - _FOOT) / inches / rows
    foot = bottom + _FOOT / inches / rows
    width = len(cells) * _MAP_WIDTH + (len(cells) - 1) * _GAP
    inset = axes.inset_axes((_LEFT, foot, width, height))
    figure = axes.get_figure(root=True)
    size = 1 if figure is None or figure.get_figwidth() >= _LEAST_WIDTH else _SMALLER
    left, right, low, high = frame.extent
    starts = [i * (right - left) * (1 + _GAP / _MAP_WIDTH) for i in range(len(cells))]
    for start, (mark, step, values) in zip(starts, cells, strict=True):
        shown = np.where(values > 0, values, np.nan) if what == "visits" else values
        _draw_map(inset, frame, shown, norm, (left + start, right + start, low, high))
        place: Any = {"xy": (left + start, high), "xytext": (0, 4), "textcoords": "offset points"}
        inset.annotate(_map_title(what, mark, step, narrow=size < 1), fontsize=8 * size, **place)
    inset.set(xlim=(left, right + starts[-1]), ylim=(low, high))
    _set_scales(inset, frame, starts, 7 * size)
    _draw_scale(axes.inset_axes((_LEFT + 3 * (_MAP_WIDTH + _GAP), foot, _BAR, height)), norm, 7 * size)


def _map_title(what: str, mark: float, step: int, *, narrow: bool) -> str:
    if narrow:
        return f"{what}, {mark:.0%}"
    if what == "visits":
        return f"visits by step {step:,} ({mark:.0%})"
    return f"bonus in the tenth before {mark:.0%}"


def _draw_map(
    axes: Axes, frame: Frame, values: np.ndarray, norm: Normalize, extent: tuple[float, float, float, float]
) -> None:
    times = max(1, _PIXELS // max(values.shape))  # nobody smooths cells that are large enough
    place: Any = {"extent": extent, "interpolation": "none", "aspect": "auto"}
    shown = np.ma.masked_invalid(values.repeat(times, axis=0).repeat(times, axis=1))
    axes.imshow(shown, cmap=_COLOURS, norm=norm, **place)
    walls = np.zeros(frame.map.cells, bool)
    walls[frame.map.walls] = True
    if (blocked := frame.cut(walls)).any():
        overlay = np.zeros((*blocked.shape, 4))
        overlay[blocked & ~np.isfinite(values)] = _WALL
        axes.imshow(overlay.repeat(times, axis=0).repeat(times, axis=1), **place)
    left, right, low, high = extent
    axes.plot((left, left, right), (high, low, low), color=TEXT_COLOUR, linewidth=0.8, clip_on=False)


def _set_scales(axes: Axes, frame: Frame, starts: list[float], font_size: float) -> None:
    """Rows beside the first map, and columns below each."""
    _strip(axes, font_size)
    axes.tick_params(pad=2)
    left, right, low, high = frame.extent
    columns = _round_values(left, right, counted=frame.map.column_range is None)
    axes.set_xticks([value + start for start in starts for value in columns], [_short(x) for x in columns] * len(starts))
    rows = _round_values(low, high, counted=frame.map.row_range is None)
    axes.set_yticks(rows, [_short(y) for y in rows])
    axes.set_xlabel(frame.map.column_axis, fontsize=font_size, labelpad=1)
    axes.set_ylabel(frame.map.row_axis, fontsize=font_size, labelpad=1)


def _strip(axes: Axes, font_size: float) -> None:
    """Leave small ticks with numbers, and nothing else around a picture."""
    axes.tick_params(labelsize=font_size, length=2, width=0.5)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _round_values(start: float, end: float, *, counted: bool) -> list[float]:
    low, high = sorted((start, end))
    return [float(value) for value in MaxNLocator(4, integer=counted).tick_values(low, high) if low <= value <= high]


def _draw_scale(axes: Axes, norm: Normalize, font_size: float) -> None:
    """The colours of a row of maps, and values beside them."""
    axes.imshow(np.linspace(0, 1, 128)[:, None], cmap=_COLOURS, origin="lower", extent=(0, 1, 0, 1), aspect="auto")
    low, high = float(norm.vmin or 0), float(norm.vmax or 0)
    locator = LogLocator(numticks=6) if isinstance(norm, LogNorm) else MaxNLocator(5)
    values = [float(value) for value in locator.tick_values(low, high) if low <= value <= high]
    if len(values) < 2:  # less than a factor of ten, or too small a difference
        values = [low, high]
    axes.set_yticks([float(norm(value)) for value in values], [_short(value) for value in values])
    axes.set_xticks([])
    axes.yaxis.tick_right()
    _strip(axes, font_size)


def _bonus_norm(bonuses: list[np.ndarray]) -> Normalize | None:
    """Colours of bonuses: by factors where they differ by large ones, else by differences."""
    known = np.concatenate([bonus[np.isfinite(bonus)] for bonus in bonuses]) if bonuses else np.empty(0)
    if not known.size:
        return None
    low, high = float(known.min()), float(known.max())
    if low > 0 and high / low >= _SCALED_BY_FACTORS:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + max(abs(low), 1.0) * 1e-6)


def _short(value: float) -> str:
    return format_significant(value)


def visits_scale(places: Iterator[Whereabouts]) -> tuple[float, float]:
    """The smallest and the largest share of steps that is told by a colour, over whoever is compared."""
    shares = np.concatenate([there.shares[there.shares > 0] for there in places])
    low, high = float(shares.min()), float(shares.max())
    return (max(low, high * 1e-5), high) if high > low else (high / 10, high)
