"""Cells and remarks that several sections share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from harness.analysis.tables import Analysis
from harness.report.document import Column, TableCell
from harness.report.plots import SuitePlots
from harness.report.wording import NO_VALUE, format_interval, format_number

METHOD = Column("Method", "method")


def estimate_cell(value: float | None, low: float | None, high: float | None, decimals: int = 3) -> TableCell:
    """A value and its interval."""
    return NO_VALUE if value is None else (format_number(value, decimals), format_interval(low, high, decimals))


def spread_cell(mean: float, sd: float | None, runs: int, decimals: int) -> TableCell:
    """A mean over seeds with its standard deviation, and the number of runs behind it."""
    spread = "" if sd is None else f" ± {format_number(sd, decimals)}"
    return f"{format_number(mean, decimals)}{spread}", f"n = {runs}"


def frames_note(analysis: Analysis) -> str:
    """A sentence on what a step is, where it is several frames."""
    skips = analysis.tasks.drop_nulls("frames_per_step")["frames_per_step"].unique().sort().to_list()
    if skips in ([], [1]):
        return ""
    return f" Steps are decisions of the agent; one step is {' or '.join(map(str, skips))} frames."


def phases_note(plots: SuitePlots) -> str:
    """A sentence on the lines that mark phases, where there are any."""
    marked = any(plots.boundaries.values())
    return " An upright dotted line marks where the next phase of the method of its colour begins." if marked else ""


def flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and their values as JSON."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(cast(Mapping[str, Any], value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def comparison_rows(columns: Mapping[str, Mapping[str, str]]) -> tuple[tuple[TableCell, ...], ...]:
    """A row for each key that any column has, with each column's value."""
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    return tuple((key, *(column.get(key, NO_VALUE) for column in columns.values())) for key in keys)
