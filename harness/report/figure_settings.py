"""How figures look: the settings of matplotlib for the page, and for a paper with fonts of its own."""

from __future__ import annotations

from typing import Any

from matplotlib.font_manager import get_font_names

from harness.errors import UnknownNameError

TEXT_COLOUR, GRID_COLOUR = "#1b1f24", "#d0d4da"
"""Text and axes, and grid lines; on the page they follow its light or dark scheme."""

DEFAULT_FONT = "DejaVu Sans"
"""The font family of figures; it comes with matplotlib and has signs that others lack."""

PAGE: dict[Any, Any] = {
    "font.family": DEFAULT_FONT,
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
    "figure.autolayout": False,  # a figure without a layout engine stays as it is
    "figure.constrained_layout.use": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "harness",
}

_PAPER: dict[Any, Any] = PAGE | {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlepad": 4,
    "axes.labelsize": 8,
    "axes.labelpad": 2.5,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "legend.fontsize": 8,
    "legend.handlelength": 1.6,
    "grid.linewidth": 0.4,
    "pdf.fonttype": 42,  # TrueType: many venues refuse the Type 3 fonts that matplotlib writes otherwise
}


def paper_settings(font: str) -> dict[Any, Any]:
    """Settings for a figure in a paper, with what ``font`` lacks in the default font."""
    return _PAPER | {"font.family": list(dict.fromkeys((font, DEFAULT_FONT)))}


def check_font(font: str) -> None:
    """Refuse a font family that is not here.

    Raises:
        UnknownNameError: It is neither matplotlib's nor installed on this machine.
    """
    names = get_font_names()
    if font not in names:
        raise UnknownNameError("font family", font, sorted(names))
