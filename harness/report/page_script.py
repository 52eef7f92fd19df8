"""The one script of a page, and what names it in the page's own policy: no other script runs there."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

SCRIPT = (files("harness.report") / "page.js").read_text(encoding="utf-8").strip()
"""Sorts tables, switches between light and dark, and opens what is folded before it is printed."""

SCRIPT_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'"
"""The script's source expression for the directive ``script-src``."""
