"""By what name each tracker knows a run: kept in a file beside it, and believed of none that anybody else may have written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from harness.runs.files import write_json_atomic
from harness.runs.guarded import MIB, Unreadable, read_json

FILE = "trackers.json"
"""Name of the file in a run's folder."""

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")


def is_id(value: object) -> bool:
    """Whether it may be the name of a run: no path, and nothing that means more than itself."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def read_ids(folder: Path, digest: str) -> dict[str, str]:
    """The names of a run, by tracker; none where the file is missing, damaged or another run's.

    Args:
        folder: Folder of the run.
        digest: Digest that the file must name.
    """
    try:
        content: Any = read_json(folder / FILE, MIB)
    except Unreadable:
        return {}
    if not isinstance(content, dict) or cast(dict[str, Any], content).get("digest") != digest:
        return {}
    ids: Any = cast(dict[str, Any], content).get("ids")
    found = cast(dict[str, Any], ids) if isinstance(ids, dict) else {}
    return {name: value for name, value in found.items() if is_id(value)}


def write_ids(folder: Path, digest: str, ids: Mapping[str, str]) -> None:
    """Keep the names of a run, by tracker."""
    write_json_atomic(folder / FILE, {"digest": digest, "ids": dict(ids)})
