"""What tasks measure beside the return, over training."""

from __future__ import annotations

import polars as pl

from harness.errors import shorten
from harness.report.context import SuiteContext
from harness.report.document import Block, FigureBlock, Paragraph, Section
from harness.report.drawing import Plot
from harness.report.training_plots import curve_panel, present_methods, shows_something
from harness.report.wording import join_names

_MOST_PANELS = 24
"""Charts that are drawn; a page with more is no longer read."""

_LONGEST_TITLE = 40
_LENGTH = "length"  # of episodes, which every evaluation has: no measure of exploration

_EXPLANATION = (
    "What the tasks measure beside the return, at every evaluation during training: the mean over seeds, with a band"
    " from the smallest to the largest. Coverage and rooms tell how far policies go, and the time to the first reward and"
    " success whether they find what is rewarded; evaluations play without the bonus and train nothing. Numbers are in"
    " measurement_curves.csv."
)


def build(suite: SuiteContext) -> Section | None:
    """A chart for each task and measurement that is not one number throughout; nothing where there is none."""
    table = suite.analysis.tables["measurement_curves"].filter(pl.col("measurement") != _LENGTH)
    groups = dict(table.group_by("task", "measurement", maintain_order=True))
    drawn = {key: part for key, part in groups.items() if shows_something(part)}
    if not drawn:
        return None
    panels = tuple(
        curve_panel(_title(str(task), str(name)), part, suite.styles, str(name), ends=("min", "max"))
        for (task, name), part in list(drawn.items())[:_MOST_PANELS]
    )
    legend = {label: suite.styles[label] for label in present_methods(pl.concat(drawn.values()), suite.styles)}
    plot = Plot(suite.plots.file_name("exploration"), "What tasks measure beside the return, over steps", panels, legend)
    text = f"{_EXPLANATION}{_not_drawn(groups, drawn)}"
    blocks: tuple[Block, ...] = (Paragraph(text), FigureBlock(plot))
    return Section("Exploration over training", blocks)


def _title(task: str, name: str) -> str:
    return shorten(f"{task}: {name}", _LONGEST_TITLE)


def _not_drawn(groups: dict[tuple[object, ...], pl.DataFrame], drawn: dict[tuple[object, ...], pl.DataFrame]) -> str:
    constant = [f"{task}: {name}, {part['value'][0]:g}" for (task, name), part in groups.items() if (task, name) not in drawn]
    notes = [f" The same number for every method throughout: {join_names(constant)}."] if constant else []
    if len(drawn) > _MOST_PANELS:
        notes.append(f" The first {_MOST_PANELS} of {len(drawn)} charts are drawn.")
    return "".join(notes)
