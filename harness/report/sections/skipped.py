"""What could not be read."""

from __future__ import annotations

from harness.report.context import ReportContext
from harness.report.document import BulletList, Section


def build(report: ReportContext) -> Section | None:
    """Everything that was passed over while results were read; nothing where all of it could be read."""
    if not report.skipped:
        return None
    return Section("Skipped while reading", (BulletList(report.skipped),), level=2)
