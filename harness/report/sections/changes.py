"""What changed from one folder of results to another."""

from __future__ import annotations

from harness.report.cells import METHOD
from harness.report.changes import Change, Changes, MethodChange
from harness.report.context import SuiteContext
from harness.report.document import Block, BulletList, Column, Paragraph, ReportTable, Section, TableCell
from harness.report.wording import decimals_for, format_interval, format_number, join_names


def build(suite: SuiteContext) -> Section | None:
    """Differences of scores task by task, and of settings; nothing where no two folders are compared."""
    changes = suite.changes
    if changes is None:
        return None
    before, after = changes.sources
    title = f"What changed from {before} to {after}"
    if not changes.methods:
        return Section(title, (Paragraph(f"{before} and {after} have no method of the same name, so nothing is compared."),))
    blocks: list[Block] = [Paragraph(_EXPLANATION), BulletList(tuple(_sentences(changes))), _scores(changes)]
    facts = [f"{method.name}: {'; '.join(method.settings)}" for method in changes.methods if method.settings]
    same = [method.name for method in changes.methods if not method.settings]
    facts += [f"{join_names(same)}: the same settings in {before} and {after}"] if same else []
    facts += [
        f"{method.name} was trained with {'; '.join(method.provenance)}" for method in changes.methods if method.provenance
    ]
    facts += [f"Only one of the two has {join_names(changes.alone)}"] if changes.alone else []
    return Section(title, (*blocks, Paragraph("What else changed:"), BulletList(tuple(f"{fact}." for fact in facts))))


_EXPLANATION = (
    "Differences of mean scores with 95 % intervals: Welch's, which lets both sides vary differently, or Newcombe's where"
    " scores are successes that are counted. An interval without 0 says that seeds alone hardly explain the difference; one"
    " with 0 does not say that nothing changed. There is no interval with fewer than three seeds on a side, nor where scores"
    " do not vary at all. Of many intervals one in twenty leaves 0 out by chance: look at the row over all tasks first."
    " changes.csv has all."
)


def _sentences(changes: Changes) -> list[str]:
    before, after = changes.sources
    sentences: list[str] = []
    for method in changes.methods:
        by_task = [one for one in method.changes if one.task is not None]
        if not by_task:
            sentences.append(f"{method.name}: no task on which {before} and {after} both have scores.")
            continue
        told = [one for one in by_task if _tells(one)]
        better = [str(one.task) for one in told if one.estimate.value > 0]
        worse = [str(one.task) for one in told if one.estimate.value < 0]
        undecided = [str(one.task) for one in by_task if one.estimate.low is not None and not _tells(one)]
        without = [str(one.task) for one in by_task if one.estimate.low is None]
        groups = (("higher on", better), ("lower on", worse), ("undecided on", undecided), ("without an interval on", without))
        sentences.append(
            f"{method.name} in {after}: {'; '.join(f'{word} {join_names(names)}' for word, names in groups if names)}."
        )
    return sentences


def _tells(one: Change) -> bool:
    """Whether the interval leaves 0 out."""
    low, high = one.estimate.low, one.estimate.high
    return low is not None and high is not None and not low <= 0 <= high


def _scores(changes: Changes) -> ReportTable:
    before, after = changes.sources
    columns = (METHOD, Column("Task"), *(Column(head, "number") for head in (before, after, "Difference")))
    rows = tuple(_row(method, one) for method in changes.methods for one in method.changes)
    return ReportTable(f"Mean scores in {before} and {after}, and their difference with 95 % intervals.", columns, rows)


def _row(method: MethodChange, one: Change) -> tuple[TableCell, ...]:
    decimals = decimals_for([one.before, one.after])
    task: TableCell = one.task or (f"all {one.tasks} tasks", "mean of normalised scores")
    value, low, high = one.estimate
    cells = [
        (format_number(mean, decimals), f"n = {runs}") for mean, runs in zip((one.before, one.after), one.runs, strict=True)
    ]
    sign = "+" if value > 0 and float(f"{value:.{decimals}f}") else ""
    return method.labels[1], task, *cells, (f"{sign}{format_number(value, decimals)}", format_interval(low, high, decimals))
