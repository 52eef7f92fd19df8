"""Numbers and lists as people write them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

NO_VALUE = "–"
"""Stands where there is no number."""


def format_number(value: float | None, decimals: int = 3) -> str:
    """A number with ``decimals`` decimals, a true minus sign, and thousands apart.

    >>> format_number(-1234.5, 1), format_number(None)
    ('−1,234.5', '–')
    """
    if value is None or math.isnan(value):
        return NO_VALUE
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def format_significant(value: float | None, figures: int = 3) -> str:
    """A number of any size with so many significant figures, and a true minus sign.

    >>> format_significant(-0.00012345), format_significant(123456.0), format_significant(None)
    ('−0.000123', '1.23e+05', '–')
    """
    return NO_VALUE if value is None else f"{value:.{figures}g}".replace("-", "−")


def decimals_for(values: Iterable[float | None]) -> int:
    """Decimals that show about three significant figures of the largest of ``values``."""
    largest = max((abs(value) for value in values if value is not None and not math.isnan(value)), default=0.0)
    return 3 if largest < 10 else 2 if largest < 100 else 1 if largest < 1000 else 0


def format_interval(low: float | None, high: float | None, decimals: int = 3) -> str:
    """An interval in brackets, or that there is none.

    >>> format_interval(0.25, 1), format_interval(None, None)
    ('[0.250, 1.000]', 'no interval')
    """
    return (
        "no interval" if low is None or high is None else f"[{format_number(low, decimals)}, {format_number(high, decimals)}]"
    )


def format_p_value(value: float) -> str:
    """A p value, without digits that nobody should read.

    >>> format_p_value(0.0412), format_p_value(0.3), format_p_value(0.00001)
    ('p = 0.041', 'p = 0.30', 'p < 0.001')
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.2f}" if value >= 0.0995 else f"p = {value:.3f}"


def join_names(items: Sequence[str], most: int = 8) -> str:
    """Items in a sentence, the first ``most`` of them in full.

    >>> join_names(["a", "b", "c"]), join_names(["a", "b", "c"], most=1)
    ('a, b and c', 'a and 2 more')
    """
    shown = list(items[:most]) + ([f"{len(items) - most} more"] if len(items) > most else [])
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1] if shown else "") if part)


def format_count(n: int, thing: str) -> str:
    """A number of things.

    >>> format_count(1, "task"), format_count(2000, "run")
    ('1 task', '2,000 runs')
    """
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def format_duration(seconds: float) -> str:
    """A time span in the unit that suits it.

    >>> format_duration(42), format_duration(600), format_duration(9000)
    ('42 s', '10 min', '2.5 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} hours"
