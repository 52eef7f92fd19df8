"""Maps of where methods went: a row of small maps for each method, one for each share of training, and one of the bonus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from harness.analysis.visit_tables import Whereabouts
from harness.report.drawing import Panel
from harness.report.wording import format_significant
from harness.runs.visits import MapRecord

_WIDTH = 7.4  # inches
_MAP_WIDTH, _GAP, _LEFT, _BAR = 0.25, 0.03, 0.07, 0.015  # shares of the panel's width
_TITLE, _FOOT = 0.24, 0.36  # inches above and below a row of maps
_HEAD = 0.25  # inches of the panel's own title
_FLATTEST = 0.2  # times as tall as wide; what is flatter has axes that cannot be compared
_TALLEST = 1.6  # times as tall as wide
_PIXELS = 160  # of a map's longer side, about
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
    """One row of maps and the scale of its colours, in the part of the axes above ``bottom``."""
    height = (inches - _TITLE - _FOOT) / inches / rows
    foot = bottom + _FOOT / inches / rows
    image: AxesImage | None = None
    for i, (mark, step, values) in enumerate(cells):
        inset = axes.inset_axes((_LEFT + i * (_MAP_WIDTH + _GAP), foot, _MAP_WIDTH, height))
        image = _draw_map(inset, frame, np.where(values > 0, values, np.nan) if what == "visits" else values, norm)
        inset.set_title(_map_title(what, mark, step), fontsize=8, fontweight="normal", loc="left")
        inset.set_xlabel(frame.map.column_axis, fontsize=7.5, labelpad=1)
        if i == 0:
            inset.set_ylabel(frame.map.row_axis, fontsize=7.5, labelpad=1)
        else:
            inset.set_yticklabels([])
    if image is not None:
        bar = axes.inset_axes((_LEFT + 3 * (_MAP_WIDTH + _GAP), foot, _BAR, height))
        axes.figure.colorbar(image, cax=bar)
        bar.yaxis.set_major_formatter(FuncFormatter(_short))
        bar.yaxis.set_minor_locator(NullLocator())
        bar.tick_params(labelsize=7, length=2)


def _map_title(what: str, mark: float, step: int) -> str:
    if what == "visits":
        return f"visits by step {step:,} ({mark:.0%})"
    return f"bonus in the tenth before {mark:.0%}"


def _draw_map(axes: Axes, frame: Frame, values: np.ndarray, norm: Normalize) -> AxesImage:
    times = max(1, _PIXELS // max(values.shape))  # nobody smooths cells that are large enough
    shown = np.ma.masked_invalid(values.repeat(times, axis=0).repeat(times, axis=1))
    place: Any = {"extent": frame.extent, "interpolation": "none", "aspect": "auto"}
    image = axes.imshow(shown, cmap=colormaps["viridis"], norm=norm, **place)
    walls = np.zeros(frame.map.cells, bool)
    walls[frame.map.walls] = True
    if (blocked := frame.cut(walls)).any():
        overlay = np.zeros((*blocked.shape, 4))
        overlay[blocked & ~np.isfinite(values)] = _WALL
        axes.imshow(overlay.repeat(times, axis=0).repeat(times, axis=1), **place)
    axes.grid(visible=False)
    axes.tick_params(labelsize=7, length=2, width=0.5)
    for axis, counted in ((axes.xaxis, frame.map.column_range), (axes.yaxis, frame.map.row_range)):
        axis.set_major_locator(MaxNLocator(4, integer=counted is None))
        axis.set_major_formatter(FuncFormatter(_short))
    return image


def _bonus_norm(bonuses: list[np.ndarray]) -> Normalize | None:
    """Colours of bonuses: by factors where they differ by large ones, else by differences."""
    known = np.concatenate([bonus[np.isfinite(bonus)] for bonus in bonuses]) if bonuses else np.empty(0)
    if not known.size:
        return None
    low, high = float(known.min()), float(known.max())
    if low > 0 and high / low >= _SCALED_BY_FACTORS:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + max(abs(low), 1.0) * 1e-6)


def _short(value: float, position: float | None) -> str:
    return format_significant(value)


def visits_scale(places: Iterator[Whereabouts]) -> tuple[float, float]:
    """The smallest and the largest share of steps that is told by a colour, over whoever is compared."""
    shares = np.concatenate([there.shares[there.shares > 0] for there in places])
    low, high = float(shares.min()), float(shares.max())
    return (max(low, high * 1e-5), high) if high > low else (high / 10, high)
