"""How long each method trained: a table and a figure."""

from __future__ import annotations

from functools import partial

import polars as pl
from matplotlib.axes import Axes

from harness.report.context import SuiteContext
from harness.report.document import Column, FigureBlock, Paragraph, ReportTable, Section
from harness.report.drawing import Panel, Plot, Style
from harness.report.wording import format_duration

_EXPLANATION = (
    "Wall-clock time of finished runs, evaluations and checkpoints included, as each run measured it. Times compare"
    " methods only where all of them ran on the same machine beside the same number of others."
)


def build(suite: SuiteContext) -> Section | None:
    """A row and a bar for each method with a finished run; nothing where no run has finished."""
    finished = suite.analysis.current_runs.filter(state="finished").drop_nulls("seconds")
    times = {label: finished.filter(label=label)["seconds"] for label in suite.analysis.methods}
    times = {label: seconds for label, seconds in times.items() if len(seconds)}
    if not times:
        return None
    columns = (
        Column("Method", "method"),
        Column("Runs", "number"),
        Column("Mean of a run", "number"),
        Column("Longest run", "number"),
        Column("All runs", "number"),
    )
    rows = tuple((label, str(len(seconds)), *_durations(seconds)) for label, seconds in times.items())
    hours = {label: float(seconds.sum()) / 3600 for label, seconds in times.items()}
    panel = Panel("Hours of training", partial(_draw, hours=hours, styles=dict(suite.styles)))
    plot = Plot(suite.plots.file_name("training-time"), "Hours of training by method", (panel,), {})
    table = ReportTable("Training time of finished runs.", columns, rows)
    return Section("Training time", (Paragraph(_EXPLANATION), table, FigureBlock(plot)))


def _durations(seconds: pl.Series) -> tuple[str, str, str]:
    """Mean, maximum and sum of times in seconds, as people write them."""
    values = [float(value) for value in seconds]
    return format_duration(sum(values) / len(values)), format_duration(max(values)), format_duration(sum(values))


def _draw(axes: Axes, hours: dict[str, float], styles: dict[str, Style]) -> None:
    colours = [styles[label].colour for label in hours]
    axes.barh(range(len(hours)), list(hours.values()), color=colours)
    axes.set_yticks(range(len(hours)), list(hours))
    axes.invert_yaxis()
    axes.set_xlabel("hours")
