"""The learning curve of every seed, drawn as thin lines below the mean where a report is asked for them."""

from __future__ import annotations

from typing import Any

import polars as pl
from matplotlib.axes import Axes

from harness.report.drawing import Style
from harness.runs.results import Results

MOST_SEEDS = 20
"""Seeds of a method on a task whose curves are drawn, the lowest ones; more lines cannot be told apart."""


class SeedCurves:
    """The evaluations of each run of a suite.

    Args:
        results: What was read.
        suite: Which suite of it.
    """

    def __init__(self, results: Results, suite: str) -> None:
        runs = results.runs.filter(~pl.col("superseded"), suite=suite).drop_nulls("folder")
        keyed = runs.select("task", pl.col("label").alias("method"), "seed", "folder")
        points = results.evaluations.select("folder", "step", pl.col("return").alias("value"))
        finite = points.filter(pl.col("value").is_finite())
        joined = keyed.join(finite, on="folder", how="inner", maintain_order="left_right").sort("seed", maintain_order=True)
        self._by_cell = {(str(task), str(method)): part for (task, method), part in joined.group_by("task", "method")}

    def draw(self, axes: Axes, style: Style, task: str, label: str) -> None:
        """Draw the curves of a method on a task in its look."""
        part = self._by_cell.get((task, label))
        seeds = [] if part is None else list(part.group_by("seed", maintain_order=True))
        for _, points in seeds[:MOST_SEEDS]:
            look: dict[str, Any] = {"color": style.colour, "linestyle": style.line, "linewidth": 0.6, "alpha": 0.55}
            marker = "." if len(points) == 1 else None
            axes.plot(points["step"], points["value"], zorder=1.5, marker=marker, markersize=3, **look)

    @property
    def note(self) -> str:
        """What thin lines are, as a sentence."""
        most = max((part["seed"].n_unique() for part in self._by_cell.values()), default=0)
        which = f" of the {MOST_SEEDS} lowest ones of a method" if most > MOST_SEEDS else ""
        return f" Each thin line is a seed{which}, at its own evaluations, whether its run is finished or not."
