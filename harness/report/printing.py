"""A page on paper: PDF printed by a browser of the Chromium family, and the same to the byte for the same page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.errors import UserError, printable

_PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # in containers it is small
    "--disable-background-networking",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)
_SECONDS = 600.0

_MISSING = (
    "--format pdf needs a browser that prints: install Chromium or Google Chrome (on Debian and Ubuntu: apt-get install"
    " chromium), or open index.html in any browser and print it from there"
)

_DATE = re.compile(rb"/(?:CreationDate|ModDate) \(D:[^)]*\)\s?")
_AGENT = re.compile(rb"/Creator \((?:\\.|[^\\)])*\)\s?")


def find_browser() -> str:
    """The path of a browser that can print.

    Raises:
        UserError: There is none; the message says what to install.
    """
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return found
    raise UserError(_MISSING)


def print_page(html: str) -> bytes:
    """The page as a PDF file, without the date and the name of the browser, which would make each one another.

    Args:
        html: A page that needs nothing but itself.

    Raises:
        UserError: There is no browser, or it printed nothing.
    """
    program = find_browser()
    with tempfile.TemporaryDirectory(prefix="harness-print-", ignore_cleanup_errors=True) as folder:
        page, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        # Browsers refuse to sandbox what root starts; the page is ours, and runs no script but its own.
        unsandboxed = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
        places = (f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}")
        said = _run([program, *_OPTIONS, *unsandboxed, *places, page.as_uri()])
        if not printed.is_file():
            raise UserError(f"{program} printed no PDF{f': {said}' if said else ''}")
        return _undated(printed.read_bytes())


def _run(command: list[str]) -> str:
    """The last line that the browser said; it is ended when it takes too long."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{command[0]} did not print the report within {_SECONDS:.0f} s") from None
    except OSError as error:
        raise UserError(f"{command[0]} cannot be started: {error.strerror}") from None
    lines = done.stderr.strip().splitlines()
    return printable(lines[-1]) if lines else ""


def _undated(data: bytes) -> bytes:
    """The file with spaces in place of dates and browser, so that everything else stays where its index says."""
    for pattern in (_DATE, _AGENT):
        data = pattern.sub(lambda found: b" " * len(found.group()), data)
    return data
