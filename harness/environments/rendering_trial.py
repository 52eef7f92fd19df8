"""Rendering tried in a child process: without OpenGL, renderers end the process that they are in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

_TIMEOUT_SECONDS = 120.0


def rendering_problem(code: str, environment: Mapping[str, str] | None = None) -> str:
    """What a new Python process dies of that renders; empty if it does not.

    Args:
        code: Statements of Python that render.
        environment: Its environment variables; ``None`` for those of this process.
    """
    command = [sys.executable, "-c", code]
    try:
        child = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no image within {_TIMEOUT_SECONDS:.0f} s"
    if child.returncode == 0:
        return ""
    lines = child.stderr.strip().splitlines()
    return lines[-1].strip() if lines else f"exit code {child.returncode}"
