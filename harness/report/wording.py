"""Numbers and lists as people write them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

NOTHING = "–"
"""Stands where there is no number."""


def number(value: float | None, digits: int = 3) -> str:
    """A number with ``digits`` decimals, a true minus sign, and thousands apart.

    >>> number(-1234.5, 1), number(None)
    ('−1,234.5', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def digits_for(values: Iterable[float | None]) -> int:
    """Decimals that show about three significant figures of the largest of ``values``."""
    largest = max((abs(value) for value in values if value is not None and not math.isnan(value)), default=0.0)
    return 3 if largest < 10 else 2 if largest < 100 else 1 if largest < 1000 else 0


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval in brackets, or that there is none.

    >>> interval(0.25, 1), interval(None, None)
    ('[0.250, 1.000]', 'no interval')
    """
    return "no interval" if low is None or high is None else f"[{number(low, digits)}, {number(high, digits)}]"


def listing(items: Sequence[str], most: int = 8) -> str:
    """Items in a sentence, the first ``most`` of them in full.

    >>> listing(["a", "b", "c"]), listing(["a", "b", "c"], most=1)
    ('a, b and c', 'a and 2 more')
    """
    shown = list(items[:most]) + ([f"{len(items) - most} more"] if len(items) > most else [])
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1] if shown else "") if part)


def count(n: int, thing: str) -> str:
    """A number of things.

    >>> count(1, "task"), count(2000, "run")
    ('1 task', '2,000 runs')
    """
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def duration(seconds: float) -> str:
    """A time span in the unit that suits it.

    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} hours"
