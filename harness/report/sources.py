"""From figures and tables to the CSV files beside the report that hold their numbers, and those of each seed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from harness.report.document import Block, Document, FigureBlock, ReportTable, Section, SourceLinks

Names = tuple[str, ...]

_FINAL: Names = ("scores",)
_WHOLE: Names = ("curves_by_seed",)

SOURCES: Mapping[str, tuple[Names, Names]] = {
    "aggregates": (("aggregates",), _FINAL),
    "improvement": (("improvement",), _FINAL),
    "comparisons": (("comparisons", "ranks"), _FINAL),
    "profiles": (("profiles",), _FINAL),
    "efficiency": (("curves",), _WHOLE),
    "learning": (("areas", "thresholds"), _WHOLE),
    "tasks": (("tasks", "curves"), (*_FINAL, *_WHOLE)),
    "measurements": (("measurements",), _WHOLE),
    "exploration": (("measurement_curves",), _WHOLE),
    "visits": (("visits",), ()),
    "bonus": (("bonuses",), ()),
    "costs": (("costs",), ()),
    "published": (("published", "published_clipped"), _FINAL),
    "runs": (("runs",), ()),
    "provenance": (("attempts",), ()),
}
"""Tables behind each of the harness's own sections, and those with the same numbers for each seed."""


def link_sources(document: Document, files: Collection[str]) -> Document:
    """The document with links after each figure and table whose numbers lie in files beside it.

    Args:
        document: The whole report.
        files: Names of the CSV files that are written with it.
    """
    return replace(document, sections=tuple(_link(section, files) for section in document.sections))


def _link(section: Section, files: Collection[str]) -> Section:
    if section.name not in SOURCES:
        return section
    numbers, per_seed = (tuple(f"{name}.csv" for name in names if f"{name}.csv" in files) for names in SOURCES[section.name])
    links = SourceLinks(numbers, per_seed)
    return replace(section, blocks=tuple(_with_links(section.blocks, links))) if numbers else section


def _with_links(blocks: tuple[Block, ...], links: SourceLinks) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, FigureBlock | ReportTable):
            yield links
