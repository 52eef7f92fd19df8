"""What was left of a study on fresh seeds."""

from __future__ import annotations

from harness.report.context import StudyContext
from harness.report.document import Column, Paragraph, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE, format_interval, format_number
from harness.tuning import false_alarms
from harness.tuning.confirm import compare


def build(study: StudyContext) -> Section | None:
    """The best trials and the suite's own settings, run again; nothing where that was not done."""
    record = study.record
    compared = compare(record.name, record.options["metric"], record.confirmations())
    if not compared:
        return None
    columns = (
        Column("Settings"),
        Column("Tuned score", "number"),
        Column("Confirmed score", "number"),
        Column("Drop", "number"),
        Column("Better than default", "number"),
        Column("Runs", "number"),
    )
    rows: list[tuple[TableCell, ...]] = []
    for one in compared:
        better = one.improvement
        rows.append(
            (
                one.confirmation.label,
                format_number(one.confirmation.tuned),
                (format_number(one.score.value), format_interval(one.score.low, one.score.high)),
                format_number(one.drop),
                (format_number(better.value, 2), format_interval(better.low, better.high, 2)) if better else NO_VALUE,
                str(len(one.confirmation.scores)),
            )
        )
    caption = (
        "The best trials and the suite's own settings, run again on fresh seeds. The tuned score is the highest of many and so"
        " too high; the drop is what of it was luck. Better than default: the chance that a run scores more than one with the"
        " suite's own settings on the same task, with its 95 % interval."
    )
    return Section("Confirmation", (Paragraph(false_alarms.describe()), ReportTable(caption, columns, tuple(rows))))
