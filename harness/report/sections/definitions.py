"""How every number of a report is made."""

from __future__ import annotations

from collections.abc import Mapping

from harness.analysis import statistics
from harness.analysis.bootstrap import EXPANDED, MANY_RUNS, IntervalKind
from harness.report.context import ReportContext
from harness.report.document import Paragraph, Section

_RESAMPLED = (
    "a bootstrap that resamples seeds within each task"
    f" ({statistics.N_RESAMPLES:,} resamples for aggregates, {statistics.N_BAND_RESAMPLES:,} for each curve"
)

_INTERVALS: Mapping[IntervalKind, str] = {
    "expanded": (
        f"Intervals come from {_RESAMPLED}). With few seeds the plain percentiles of resamples lie too close together;"
        " the quantiles taken here lie further out, by as much as Student's t is wider than the normal distribution (expanded"
        " percentile intervals, Hesterberg 2015, arXiv 1411.5279). The mean of one task has Student's interval, scores that"
        " are only ever 0 or 1 are counted and have that of Clopper and Pearson. Bands of profiles are Kolmogorov's, and"
        " those of curves are as wide as their largest deviation asks for: both are to hold whole lines."
        " --intervals rliable gives the percentiles of rliable instead."
    ),
    "rliable": (
        f"Intervals are those of rliable, as --intervals rliable asks for: the 2.5 % and 97.5 % percentiles of {_RESAMPLED}"
        " and profile). With few seeds they hold the truth less often than they say."
    ),
}


def _kind_of_intervals(report: ReportContext) -> IntervalKind:
    return report.suites[0].analysis.intervals if report.suites else EXPANDED


def build(report: ReportContext) -> Section:
    """How every number is made; the same in all reports."""
    paragraphs = (
        "The score of a run is the mean undiscounted return over the episodes of its last evaluation, played with seeds"
        " of their own after training has ended. Only finished runs have one. Seeds are the unit of replication:"
        " episodes of one run are averaged, never counted as independent.",
        "Aggregates, profiles and the probability of improvement are those of Agarwal et al. 2021 (Deep reinforcement"
        " learning at the edge of the statistical precipice, arXiv 2108.13264), as rliable computes them. Where tasks"
        " have different numbers of runs, which rliable does not provide for, every task weighs the same.",
        f"{_INTERVALS[_kind_of_intervals(report)]} Intervals say how much the numbers would vary with other seeds on these"
        " tasks; they say nothing about other tasks. Each is 95 % by itself: among many comparisons some will stand out by"
        f" chance. Statistics of more than {MANY_RUNS} runs get fewer resamples, which cost the more the more runs there are."
        " The random stream follows from the names of suite and method, so the same runs give the same digits.",
        "Methods share seeds, but a seed gives two methods the same start and then other actions, other episodes and other"
        " networks. Intervals, the probability of improvement and its p value therefore take runs as independent, which is"
        " right where pairs are not correlated and cautious where they are.",
    )
    return Section("How to read the numbers", tuple(Paragraph(text) for text in paragraphs), level=2)
