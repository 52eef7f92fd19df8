"""How scores are distributed."""

from __future__ import annotations

from harness.report.context import SuiteContext
from harness.report.document import FigureBlock, Paragraph, Section
from harness.report.reliability import bands


def build(suite: SuiteContext) -> Section | None:
    """The fraction of runs above each score; nothing where no task can be normalised."""
    plots = suite.plots
    plot = plots.profiles()
    if plot is None:
        return None
    explanation = (
        "For every score τ, the fraction of runs over all tasks that score more than τ, each task weighing the same,"
        " with 95 % bands. A curve above another at every τ means better at every level of difficulty, as far as these runs"
        " go; curves that cross mean that the ranking depends on what counts as success."
        f" {bands(suite.analysis.intervals, 'profile')}"
    )
    return Section(
        "Performance profiles",
        (
            Paragraph(explanation),
            FigureBlock(plot),
        ),
    )
