"""What is installed: versions of packages, and which source the harness was started from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

DISTRIBUTION = "exploration-harness"
"""The name of the harness, as pip has it."""

COMMIT_FILE = "commit.txt"
"""What a wheel and a source distribution hold the commit in that they were built from, in the package ``harness``."""


def installed_version(package: str) -> str | None:
    """The installed version of a package by the name that pip has for it; ``None`` where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def installed_from(package: metadata.Distribution) -> Mapping[str, Any]:
    """Where pip had a package from (PEP 610); nothing where that was not recorded, or cannot be read."""
    with suppress(ValueError):
        found: Any = json.loads(package.read_text("direct_url.json") or "{}")
        if isinstance(found, dict):
            return cast(dict[str, Any], found)
    return {}


def source_commit() -> str | None:
    """The commit that the harness runs from, of its checkout or what it was built from; ``-dirty`` if changed since.

    Returns:
        An abbreviated digest; ``None`` where nothing tells, as in a wheel that was built of a tree without history.
    """
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return _built_commit() or _installed_commit()
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _built_commit() -> str | None:
    """The commit that building left in the package."""
    with suppress(OSError):
        return (files(__package__ or "harness") / COMMIT_FILE).read_text(encoding="utf-8").strip() or None
    return None


def _installed_commit() -> str | None:
    """The commit in the record of an installation from a repository."""
    with suppress(metadata.PackageNotFoundError, AttributeError):
        commit = installed_from(metadata.distribution(DISTRIBUTION)).get("vcs_info", {}).get("commit_id")
        return commit[:12] if isinstance(commit, str) else None
    return None
