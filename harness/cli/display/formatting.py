"""Numbers and durations as people read them."""

from __future__ import annotations

from datetime import datetime


def duration(seconds: float | None) -> str:
    """A time span in its two largest units.

    >>> duration(7), duration(200), duration(7500), duration(200_000)
    ('7 s', '3 min 20 s', '2 h 05 min', '2 d 08 h')
    """
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24:02} h"


def moment(time: datetime | None) -> str:
    """The time of day, with its date unless that is today's; empty when unknown."""
    if time is None:
        return ""
    return f"{time:%H:%M}" if time.date() == datetime.now().date() else f"{time.day} {time:%b %H:%M}"


def count(number: float) -> str:
    """A whole number with thousands apart.

    >>> count(32_000_000)
    '32,000,000'
    """
    return f"{round(number):,}"


def speed(steps_per_second: float | None) -> str:
    """Steps per second; empty when unknown."""
    if not steps_per_second:
        return ""
    return count(steps_per_second) if steps_per_second >= 10 else f"{steps_per_second:.1f}"


def score(value: float | None) -> str:
    """A score with the digits that matter.

    >>> score(4753.31), score(12.34), score(-0.0021), score(None)
    ('4,753.3', '12.34', '-0.002', '')
    """
    if value is None:
        return ""
    digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return f"{value:,.{digits}f}"


def memory(size: float) -> str:
    """Bytes in binary units.

    >>> memory(1_300_000_000)
    '1.2 GiB'
    """
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
