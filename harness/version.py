"""Which source the harness was started from."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_DISTRIBUTION = "exploration-harness"


def source_commit() -> str | None:
    """The commit that the harness runs from: of its checkout, marked ``-dirty`` if changed since, or the one pip installed.

    Returns:
        An abbreviated digest; ``None`` where nothing tells, as in a wheel that was built elsewhere.
    """
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return _installed_commit()
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _installed_commit() -> str | None:
    """The commit in the record of an installation from a repository (PEP 610)."""
    with suppress(PackageNotFoundError, ValueError, AttributeError):
        origin = json.loads(distribution(_DISTRIBUTION).read_text("direct_url.json") or "{}")
        commit = origin.get("vcs_info", {}).get("commit_id")
        return commit[:12] if isinstance(commit, str) else None
    return None
