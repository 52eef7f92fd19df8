"""What a figure consists of, and how methods are drawn in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.report.figure_settings import GRID_COLOUR, TEXT_COLOUR

__all__ = ["GRID_COLOUR", "TEXT_COLOUR", "ExternalPlot", "Line", "Panel", "Plot", "Style", "method_styles"]

Line = Literal["-", "--", ":", "-."]

_BASELINE = "#7d838c"
# Each has a contrast of 3 or more with white and with the dark page; colour-blind readers can tell them apart, from grey too.
_COLOURS = ("#0173b2", "#c47d00", "#029e73", "#c8402a", "#c774b8", "#5b8fe0", "#8a6a4a")
_LINES: tuple[Line, ...] = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Style:
    """How a method is drawn, everywhere in a suite's report."""

    colour: str
    line: Line = "-"


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Attributes:
        title: Text above the axes; broken into lines where it is long.
        draw: Draws into the axes.
        size: Width and height in inches, apart from labels on the vertical axis that neighbours share.
        description: What there is to see, in words and numbers, for who cannot see it.
        scalable: Whether the same is drawn whatever the size of the figure, and into these axes alone: it is then drawn once
            for all sizes.
    """

    title: str
    draw: Callable[[Axes], None]
    size: tuple[float, float] = (3.7, 2.7)
    description: str = ""
    scalable: bool = False


@dataclass(frozen=True)
class Plot:
    """Panels that belong together.

    Attributes:
        name: Stem of the file it is written to.
        title: The caption: what it shows, in words.
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
        title: The caption: what they show, in words.
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
