"""How every number of a report is made."""

from __future__ import annotations

from harness.analysis import statistics
from harness.report.context import ReportContext
from harness.report.document import Paragraph, Section


def build(report: ReportContext) -> Section:
    """How every number is made; the same in all reports."""
    paragraphs = (
        "The score of a run is the mean undiscounted return over the episodes of its last evaluation, played with seeds"
        " of their own after training has ended. Only finished runs have one. Seeds are the unit of replication:"
        " episodes of one run are averaged, never counted as independent.",
        "Aggregates, profiles and the probability of improvement are those of Agarwal et al. 2021 (Deep reinforcement"
        " learning at the edge of the statistical precipice, arXiv 2108.13264), as rliable computes them. Where tasks"
        " have different numbers of runs, which rliable does not provide for, every task weighs the same.",
        "Intervals are the 2.5 % and 97.5 % percentiles of a bootstrap that resamples seeds within each task"
        f" ({statistics.N_RESAMPLES:,} resamples for aggregates, {statistics.N_BAND_RESAMPLES:,} for each curve and"
        " profile). They say how much the numbers would vary with other seeds on these tasks; they say nothing about"
        " other tasks. Each is 95 % by itself: among many comparisons some will stand out by chance. The random stream"
        " follows from the names of suite and method, so the same runs give the same digits.",
    )
    return Section("How to read the numbers", tuple(Paragraph(text) for text in paragraphs), level=2)
