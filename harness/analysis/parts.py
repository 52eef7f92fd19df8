"""Tables in parts, one for each of what stands in some columns."""

from __future__ import annotations

from typing import Any

import polars as pl

Parts = dict[tuple[Any, ...], pl.DataFrame]
"""The rows of a table in their order, by what stands in some of its columns."""


def parts_of(table: pl.DataFrame, *columns: str) -> Parts:
    """A table in parts, all at once: a filter takes half a millisecond, and there may be thousands of methods and tasks.

    Args:
        table: The table that is taken apart.
        columns: What tells the parts from each other.
    """
    if table.is_empty():
        return {}
    return {tuple(part[name][0] for name in columns): part for part in table.partition_by(columns)}
