"""What figures show in words and numbers, for who listens to them."""

from __future__ import annotations

import polars as pl

from harness.report.wording import decimals_for, format_interval, format_number

_MIDDLE = 0.5


def describe_intervals(table: pl.DataFrame) -> str:
    """Every method's value with its interval.

    Args:
        table: One row for each method, with the columns ``method``, ``value``, ``low`` and ``high``.
    """
    rows = table.select("method", "value", "low", "high").rows()
    return "; ".join(f"{label} {format_number(value)} {format_interval(low, high)}" for label, value, low, high in rows) + "."


def describe_curves(table: pl.DataFrame) -> str:
    """Where curves begin and end.

    Args:
        table: The points of all curves in the order of their steps, with the columns ``method``, ``step`` and ``value``.
    """
    decimals, parts = decimals_for(table["value"]), list[str]()
    for (label,), part in table.drop_nulls("value").group_by("method", maintain_order=True):
        first, last = part.row(0, named=True), part.row(-1, named=True)
        begin, end = format_number(first["value"], decimals), format_number(last["value"], decimals)
        parts.append(f"{label} from {begin} at step {first['step']:,} to {end} at step {last['step']:,}")
    return "; ".join(parts) + "."


def describe_profiles(table: pl.DataFrame) -> str:
    """The share of runs above the middle of the thresholds.

    Args:
        table: The points of all profiles, with the columns ``method``, ``threshold`` and ``value``.
    """
    parts: list[str] = []
    for (label,), part in table.group_by("method", maintain_order=True):
        below = part.filter(pl.col("threshold") <= _MIDDLE).sort("threshold")
        if len(below):
            parts.append(f"{label} {below['value'][-1]:.0%}".replace("%", " %"))
    return f"Runs above a normalised score of {_MIDDLE:g}: {'; '.join(parts)}."
