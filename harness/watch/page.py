"""The pages of the server: HTML that is whole without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from harness.report.templating import page_templates
from harness.report.wording import format_count, format_duration, format_number
from harness.runs.status import RUN_STATES
from harness.watch.looks import Look
from harness.watch.report import ReportState
from harness.watch.view import StatusView, view

_MAX_LISTED = 2000
"""Runs that a list names; beyond, their number is said."""


@dataclass(frozen=True)
class Slice:
    """A part of the bar of all runs, in percent of it.

    Attributes:
        state: Name of the state whose runs it stands for.
        number: Number of these runs.
        begin: Where it begins.
        width: How wide it is.
    """

    state: str
    number: int
    begin: float
    width: float


class Pages:
    """Renders the pages.

    Args:
        title: What the results are called.
        seconds: Time between two looks, after which a page asks again.
    """

    def __init__(self, title: str, seconds: float) -> None:
        self._title, self._seconds = title, seconds
        templates = page_templates("watch", autoescape=True)
        filters: dict[str, Any] = templates.filters
        filters |= {
            "moment": moment,
            "minute": minute,
            "short": short_count,
            "duration": format_duration,
            "number": format_number,
            "count": format_count,
            "grouped": "{:,.0f}".format,
        }
        self._runs, self._report = templates.get_template("runs.html.j2"), templates.get_template("report.html.j2")

    def runs(self, look: Look, report: ReportState) -> str:
        """The page of runs.

        Args:
            look: What is shown.
            report: The report as it is, which the page links to.
        """
        seen = view(look.found)
        return self._runs.render(
            self._common(look, report), view=seen, slices=slices(seen), states=RUN_STATES, most=_MAX_LISTED
        )

    def report(self, look: Look, report: ReportState) -> str:
        """The page around the report; see `runs` for the arguments."""
        return self._report.render(self._common(look, report))

    def _common(self, look: Look, report: ReportState) -> dict[str, Any]:
        return {"title": self._title, "seconds": self._seconds, "look": look, "report": report}


def slices(seen: StatusView) -> Sequence[Slice]:
    """The bar of all runs."""
    found: list[Slice] = []
    begin = 0.0
    for state, number in seen.counts.items():
        width = 100 * number / seen.number
        found.append(Slice(state, number, round(begin, 3), round(width, 3)))
        begin += width
    return found


def moment(time: datetime | None) -> str:
    """The time of day to the second, with its date unless that is today's; empty when unknown."""
    if time is None:
        return ""
    return f"{time:%H:%M:%S}" if time.date() == datetime.now().date() else minute(time)


def minute(time: datetime | None) -> str:
    """The time of day to the minute, with its date unless that is today's; empty when unknown."""
    if time is None:
        return ""
    return f"{time:%H:%M}" if time.date() == datetime.now().date() else f"{time.day} {time:%b %H:%M}"


def short_count(number: int) -> str:
    """A count in few characters.

    >>> short_count(2048), short_count(250_000), short_count(8_820_899), short_count(2_000_000_000)
    ('2,048', '250 k', '8.82 M', '2,000 M')
    """
    if number < 100_000:
        return f"{number:,}"
    if number < 1_000_000:
        return f"{number // 1000} k"
    return f"{number / 1e6:,.2f} M" if number < 10_000_000 else f"{number // 1_000_000:,} M"


def static_files() -> dict[str, tuple[str, str]]:
    """The content and the media type of each file that pages refer to, by name."""
    here, report = files("harness.watch"), files("harness.report")
    style = (report / "page.css").read_text(encoding="utf-8") + (here / "watch.css").read_text(encoding="utf-8")
    return {
        "watch.css": (style, "text/css"),
        "watch.js": ((here / "watch.js").read_text(encoding="utf-8"), "text/javascript"),
    }
