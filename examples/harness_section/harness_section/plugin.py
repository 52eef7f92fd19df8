"""What this package gives the harness. Imported whenever the harness starts, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from harness import ReportSection, hookimpl


@hookimpl
def harness_report_sections() -> Sequence[ReportSection]:
    """The section ``training_time``, behind what the tasks measure and before the runs one by one."""
    return [
        ReportSection(
            name="training_time",
            build="harness_section.section:build",
            scope="suite",
            order=750,
            summary="Hours of training that each method took.",
        )
    ]
