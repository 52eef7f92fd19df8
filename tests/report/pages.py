"""What tests read out of pages."""

from __future__ import annotations

from pathlib import Path

from harness.report.page_script import SCRIPT


def without_own_script(file: Path) -> str:
    """A page without the one script that is its own; any other that has come in is still there."""
    before, script, after = file.read_text().partition(f"<script>{SCRIPT}</script>")
    assert script, "the page has lost its script"
    return before + after
