"""What a report was made from, so that nobody takes it for the report on other runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from harness.runs.guarded import Unreadable, look, read_bytes, read_json

if TYPE_CHECKING:
    from harness.report.context import ReportContext  # loads polars, which a look at a manifest does not need

MANIFEST_FILE = "manifest.json"

_FORMAT = 1
_COLUMNS = ("suite", "task", "label", "seed", "digest", "state", "step")

Currency = Literal["missing", "current", "outdated"]
"""Whether there is a report, and whether it shows the runs as they are."""


def manifest(report: ReportContext, baseline: str | None, intervals: str, files: Mapping[str, str | bytes]) -> str:
    """The manifest of a report.

    Args:
        report: What the report shows.
        baseline: The method that was asked for as baseline.
        intervals: How intervals were made.
        files: The content of each file of the report, by name.
    """
    results = report.results
    runs: Sequence[dict[str, Any]] = []
    if results is not None:
        runs = results.runs.filter(superseded=False).select(_COLUMNS).to_dicts()
    content = {
        "format": _FORMAT,
        "fingerprint": results.fingerprint if results else None,
        "baseline": baseline,
        "intervals": intervals,
        "runs": runs,
        "studies": [study.record.name for study in report.studies],
        "files": {name: _sha256(data.encode() if isinstance(data, str) else data) for name, data in files.items()},
    }
    return json.dumps(content, indent=1) + "\n"


def currency(file: Path, fingerprint: str) -> Currency:
    """Whether a report shows certain runs.

    Args:
        file: The report's page.
        fingerprint: That of the runs, see `harness.runs.collection.Collection.fingerprint`.

    Raises:
        Unreadable: The report's folder may not be looked into.
    """
    if look(file) is None:
        return "missing"
    try:
        content, page = read_json(file.with_name(MANIFEST_FILE)), read_bytes(file)
    except Unreadable:
        return "outdated"
    if not isinstance(content, dict) or page is None:
        return "outdated"
    said = cast(dict[str, Any], content)
    files = said.get("files")
    intact = isinstance(files, dict) and cast(dict[str, Any], files).get(file.name) == _sha256(page)
    return "current" if intact and said.get("fingerprint") == fingerprint else "outdated"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
