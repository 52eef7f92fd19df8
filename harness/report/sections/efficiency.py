"""How fast methods learn."""

from __future__ import annotations

from harness.report.cells import frames_note, phases_note
from harness.report.context import SuiteContext
from harness.report.document import FigureBlock, Paragraph, Section
from harness.report.reliability import bands


def build(suite: SuiteContext) -> Section | None:
    """The aggregate score over training; nothing where no task can be normalised."""
    plot = suite.plots.efficiency()
    if plot is None:
        return None
    explanation = (
        "The IQM of normalised scores at each evaluation during training, with 95 % bands: the higher and the further"
        " left, the sooner a method learns. A line is dotted where some of its runs are not there (yet), and ends"
        f" where a task has no run left.{frames_note(suite.analysis)}{phases_note(suite.plots)}"
        f" {bands(suite.analysis.intervals, 'curve')}"
    )
    return Section(
        "Sample efficiency",
        (
            Paragraph(explanation),
            FigureBlock(plot),
        ),
    )
