"""What scores are normalised with."""

from __future__ import annotations

from harness.report.context import SuiteContext
from harness.report.document import Column, Paragraph, ReportTable, Section
from harness.report.wording import NO_VALUE


def build(suite: SuiteContext) -> Section:
    """The constants of each task and where they come from."""
    analysis = suite.analysis
    text = (
        "normalised score = (score − low) / (high − low), with constants of the task. 0 is what the low score stands"
        " for, such as a random agent; 1 what the high one does, such as a human or the optimum. Scores above 1 are"
        " kept as they are."
    )
    columns = (Column("Task"), Column("Low", "number"), Column("High", "number"), Column("Source"))
    rows = tuple(
        (task, _format_constant(low), _format_constant(high), (source or "not stated") if usable else "not normalised")
        for task, low, high, source, usable in analysis.tasks.select("task", "low", "high", "source", "usable").rows()
    )
    return Section(
        "Normalisation",
        (
            Paragraph(text),
            ReportTable("Constants of each task.", columns, rows),
        ),
    )


def _format_constant(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:,.10g}".replace("-", "−")
