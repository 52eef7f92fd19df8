"""What a bundle holds, and within which limits.

A bundle is a zip file. Its first member, ``bundle.json``, names every other with its size and SHA-256; these are the files of
a results folder that are data: records, tables, plans, resolved suites, studies, and of reports the text and the tables.
Nothing in it can be run: no weights, no checkpoints, no pages with scripts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import printable
from harness.runs.folder import RECORD_FILE
from harness.runs.guarded import MAX_FILE_BYTES, MIB
from harness.runs.plans import PLANS
from harness.runs.recorded import SUITES
from harness.runs.visits import VISITS_FILE
from harness.spec import MAX_COUNT

MANIFEST = "bundle.json"

FORMAT = 1

ENDING = ".zip"

MAX_BUNDLE_BYTES = MAX_FILE_BYTES
MAX_MEMBER_BYTES = 128 * MIB
MAX_TOTAL_BYTES = 2048 * MIB
MAX_MEMBERS = 50_000
MAX_MANIFEST_BYTES = 32 * MIB

MAX_RATIO = 200
"""How many times as large as in the bundle a member may become; what would become larger is packed as it is."""

RUN_FILES = frozenset({RECORD_FILE, "evaluations.csv", "progress.csv", VISITS_FILE})
STUDY_FILES = frozenset({"study.json", "best.yaml"})
REPORT = "report"
REPORT_ENDINGS = frozenset({".md", ".csv", ".json", ".tex"})
_FOLDERS: Mapping[str, frozenset[str]] = {
    PLANS: frozenset({".json"}),
    SUITES: frozenset({".yaml"}),
    REPORT: REPORT_ENDINGS,
}

_MAX_PARTS = 16
_MAX_PART = 200


class Member(BaseModel):
    """A file of a bundle.

    Attributes:
        sha256: SHA-256 of its content, in hexadecimal digits.
        size: Size of its content in bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0, le=MAX_COUNT)]

    @classmethod
    def of(cls, data: bytes) -> Member:
        """The entry of a content."""
        return cls(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


class Manifest(BaseModel):
    """The content of ``bundle.json``.

    Attributes:
        format: Version of this form.
        harness: Version of the harness that packed it.
        name: Name of the folder that was packed.
        members: Every other member by its name, which is its path below that folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = FORMAT
    harness: Annotated[str, Field(max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=_MAX_PART)]
    members: dict[str, Member]

    def to_bytes(self) -> bytes:
        """The manifest as it is written: the same bytes for the same members."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n").encode()


def digest_of(manifest: bytes) -> str:
    """What names a bundle's content: the same wherever and whenever it is packed."""
    return hashlib.sha256(manifest).hexdigest()


def is_plain_name(part: str) -> bool:
    """Whether a part of a path names an entry of its folder, on every system."""
    plain = part not in {"", ".", ".."} and part.isprintable() and not set(part) & set('\\/:*?"<>|')
    return plain and not part.endswith((" ", ".")) and len(part.encode(errors="surrogatepass")) <= _MAX_PART


def problem_with_name(name: str) -> str | None:
    """Why a member may not have a name; ``None`` where it may."""
    parts = name.split("/")
    if not all(map(is_plain_name, parts)) or len(parts) > _MAX_PARTS:
        return f"{printable(name, 100)!r} is no name of a file in a bundle"
    if not is_data(PurePosixPath(name)):
        return f"{printable(name, 100)!r} is no file of results that a bundle may hold"
    return None


def is_data(path: PurePosixPath) -> bool:
    """Whether a file of a results folder is packed, by its name and its folder's."""
    if path.name in RUN_FILES | STUDY_FILES:
        return True
    return path.suffix in _FOLDERS.get(path.parent.name, frozenset())
