"""Templates of pages: what they show is escaped where a page needs it, and never a command to whoever shows it."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.errors import without_control_characters


@cache
def page_templates(room: str, *, autoescape: bool) -> Environment:
    """The templates in a room of the harness, the same object each time, so that each template is compiled once.

    Args:
        room: Name of a package below ``harness``.
        autoescape: Whether everything that templates show is escaped for HTML.
    """
    return Environment(
        loader=PackageLoader("harness", room),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable_text,
    )


def _printable_text(value: Any) -> Any:
    """Whatever a template shows, without characters that no page may hold; figures are looked through where they are drawn."""
    return without_control_characters(value) if type(value) is str else value
