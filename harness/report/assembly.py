"""From what a report is about to a document: every section that is installed, in order.

The harness's own sections come through the same hook as those of plugins. A plugin's section that cannot be imported or
built, gives something else than a section, or has a figure that cannot be drawn, is named where it would stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.registry import Provided, Registry
from harness.registry.error_summary import summarise_error_with_location
from harness.registry.hooks import ReportSection
from harness.report.context import ReportContext, StudyContext, SuiteContext
from harness.report.document import BulletList, Document, FigureBlock, Section
from harness.report.figures import inline_svgs, render_files
from harness.report.inspection import validate_section
from harness.report.summary import summarise_report, title_of

Context = SuiteContext | StudyContext | ReportContext

_SCOPES = {SuiteContext: "suite", StudyContext: "study", ReportContext: "report"}


def assemble(report: ReportContext, registry: Registry, title: str | None = None) -> Document:
    """The whole report as a document.

    Args:
        report: What the report is about.
        registry: What is installed, sections among it.
        title: The heading of the page; named after suites and studies if not given.
    """
    contexts = (*report.suites, *report.studies, report)
    sections = [section for context in contexts for section in _sections(registry, context)]
    subtitle, key_figures = summarise_report(report)
    return Document(title or title_of(report), subtitle, key_figures, tuple(sections))


def _sections(registry: Registry, context: Context) -> Iterator[Section]:
    scope = _SCOPES[type(context)]
    provided = [one for one in registry.report_sections.values() if one.description.scope == scope]
    for one in sorted(provided, key=lambda one: one.description.order):  # equal ones stay as they were installed
        section = _build(registry, one, context)
        if section is not None:
            yield replace(section, styles=section.styles or context.styles) if isinstance(context, SuiteContext) else section


def _build(registry: Registry, provided: Provided[ReportSection], context: Context) -> Section | None:
    if provided.plugin.name == "builtin":  # a mistake of ours is to be seen
        section = registry.load(provided.description.build)(context)
        return section and replace(section, name=provided.description.name)
    try:
        section = registry.load(provided.description.build)(context)
        if section is not None:
            validate_section(section)
            section = replace(section, name="")
            _try_figures(section)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a stranger's code may raise anything
        return _broken(provided, error, level=3 if isinstance(context, SuiteContext | StudyContext) else 2)
    return section


def _try_figures(section: Section) -> None:
    """Draw what would otherwise be drawn while the page is written, when it is too late to leave it out."""
    for block in section.blocks:
        if isinstance(block, FigureBlock):
            inline_svgs(block.plot)
            render_files(block.plot)


def _broken(provided: Provided[ReportSection], error: BaseException, level: int) -> Section:
    name, plugin = provided.description.name, provided.plugin
    cause = summarise_error_with_location(error)
    message = f"The section {name!r} of plugin {plugin} could not be made: {cause}. The rest of the report is not affected."
    return Section(name, (BulletList((message,), warning=True),), level=level)
