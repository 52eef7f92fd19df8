"""Sections of a plugin, sound and broken, for tests of what a report makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from threadpoolctl import threadpool_info

from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin
from harness.registry.hooks import ReportSection
from harness.report.context import ReportContext, StudyContext, SuiteContext
from harness.report.document import (
    Block,
    BulletList,
    CodeBlock,
    Column,
    FigureBlock,
    Paragraph,
    ReportTable,
    Section,
)
from harness.report.drawing import Panel, Plot


def registry_with(*sections: ReportSection) -> Registry:
    """What the harness provides, and these sections of a plugin."""
    return Registry([builtin_plugin(), Plugin(PluginInfo("extra", "extra-sections", "2.0", __name__), sections)])


def description(name: str, **changes: object) -> ReportSection:
    """The description of the function ``name`` in this module."""
    return ReportSection(name=name, build=f"{__name__}:{name}", **changes)  # type: ignore[arg-type]


def hours(suite: SuiteContext) -> Section:
    columns = (Column("Method", "method"), Column("Hours <b>all</b>", "number"))
    rows = tuple((label, ("2.5", "<script>alert(1)</script>")) for label in suite.analysis.methods)
    return Section("Hours & <i>minutes</i>", (Paragraph("Said by <em>a plugin</em>."), ReportTable("Hours.", columns, rows)))


def nothing(suite: SuiteContext) -> None:
    return None


def closing(report: ReportContext) -> Section:
    return Section("Closing words", (CodeBlock(f"{len(report.suites)} suites, {len(report.studies)} studies"),), level=2)


def raises(suite: SuiteContext) -> Section:
    raise KeyError("no <such> column")


def leaves(report: ReportContext) -> Section:
    raise SystemExit(3)


def returns_text(suite: SuiteContext) -> str:
    return "a section"


def draws_badly(suite: SuiteContext) -> Section:
    def draw(axes: object) -> None:
        raise ZeroDivisionError("while drawing")

    return Section("Drawn", (FigureBlock(Plot("drawn", "Drawn", (Panel("Drawn", draw),), {})),))


class Markup(str):
    def __html__(self) -> str:
        return str(self)


def unescaped(suite: SuiteContext) -> Section:
    return Section("Unescaped", (Paragraph(Markup("<script>alert(2)</script>")),))


def in_blocks(*blocks: Block) -> Section:
    return Section("Blocks", blocks)


def short_row(suite: SuiteContext) -> Section:
    return in_blocks(ReportTable("Short.", (Column("a"), Column("b")), (("1",),)))


def number_in_a_cell(suite: SuiteContext) -> Section:
    return in_blocks(ReportTable("Number.", (Column("a"),), ((1,),)))  # type: ignore[arg-type]


def list_of_items(suite: SuiteContext) -> Section:
    return in_blocks(BulletList(["one"]))  # type: ignore[arg-type]


def escapes_the_folder(suite: SuiteContext) -> Section:
    return in_blocks(FigureBlock(Plot("../../outside", "Outside", (Panel("", lambda axes: None),), {})))


def of_study(study: StudyContext) -> Section:
    return Section("Of a study", (Paragraph(f"{len(study.record.trials)} trials in all"),))


BROKEN: Sequence[tuple[str, str]] = (
    ("raises", "KeyError: 'no <such> column'"),
    ("returns_text", "build() must return a harness.report.document.Section or None, not str 'a section'"),
    ("draws_badly", "ZeroDivisionError: while drawing"),
    ("unescaped", "must be plain text (str), not Markup"),
    ("short_row", "row 1 has 1 cells, the table has 2 columns"),
    ("number_in_a_cell", "row 1, column 'a' must be plain text (str), not int 1"),
    ("list_of_items", "items must be a tuple, not list"),
    ("escapes_the_folder", "not '../../outside'"),
    ("absent", "cannot import 'report.section_plugin:absent'"),
)
"""Functions of this module that are no sound sections, and what the report says of each."""


THREADS_SEEN: list[int] = []
"""Threads of linear algebra, as `counts_threads` found them."""


def counts_threads(suite: SuiteContext) -> None:
    THREADS_SEEN.extend({library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"})
