"""Other people's exceptions in one line, for messages and tables."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path

from harness.errors import printable

_IMPORTLIB = Path(importlib.__file__).parent
_REGISTRY = Path(__file__).parent
_INTERNAL = frozenset({_REGISTRY.parent, _REGISTRY, _REGISTRY.parent / "config"})


def summarise_error(error: BaseException) -> str:
    """An exception as a single line that can be printed: its type and the first line of its message."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # noqa: BLE001  the message is made by the plugin as well
        lines = ["its message cannot be made"]
    return printable(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def summarise_error_with_location(error: BaseException) -> str:
    """Like `summarise_error`, followed by the file and line where it was raised.

    Frames of the harness's own top-level modules, its registry and its configurations, and of Python's import system are
    passed over: they only say that something was imported or called, of which the author of the failing code need not hear.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_internal_frame(frame.filename)]
    return f"{summarise_error(error)} ({frames[-1].filename}:{frames[-1].lineno})" if frames else summarise_error(error)


def _is_internal_frame(filename: str) -> bool:
    path = Path(filename)
    return filename.startswith("<") or path.parent in _INTERNAL or _IMPORTLIB in path.parents
