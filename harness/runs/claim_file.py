"""Claim files: made, read, replaced and removed so that of several processes that try one succeeds, with locks or without.

A claim appears complete, by a hard link, or where a disk has none by creating the file exclusively. It goes away in one of two
manners only: its owner removes it, or another process that knows the owner to be dead replaces it. Either must first have the
right to end this very claim, which is a claim itself, on a file that is named after the token of the claim to be ended. So a
claim ends once, whatever else happens between two looks at it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.errors import RunError
from harness.runs.files import TEMPORARY
from harness.runs.guarded import Unreadable, may, read_json, reason_of, signature_of
from harness.runs.owner import Owner

MAX_CLAIM_BYTES = 1 << 16

UNKNOWN = Owner(host="", pid=0, started=0.0, token="")
"""The owner of a file that names nobody."""

UNWRITTEN = Owner(host="", pid=0, started=0.0, token="unwritten")
"""The owner of an empty file: somebody who is about to write it, or who was when the machine stopped."""


class AlreadyClaimed(RunError):
    """Another living process owns the folder.

    Args:
        message: The sentence for people.
        owner: The owner, as its claim says; ``None`` if it is not known.
    """

    def __init__(self, message: str, owner: Owner | None = None) -> None:
        super().__init__(message)
        self.owner = owner


def read_owner(path: Path) -> Owner | None:
    """The owner that a claim file names; ``None`` when there is no file.

    What can be removed as a claim is, and names nobody, counts as `UNKNOWN`: a foreign file, a named pipe, a link that leads
    nowhere; an empty file as `UNWRITTEN`.

    Raises:
        Unreadable: It may not be read, or is a folder.
    """
    while (status := _look(path)) is not None:
        if stat.S_ISDIR(status.st_mode):
            raise Unreadable(path, "is a folder, where a claim should be: remove it")
        if not stat.S_ISREG(status.st_mode):
            return UNKNOWN
        try:
            content: Any = read_json(path, MAX_CLAIM_BYTES)
        except Unreadable:
            readable, now = may(path, os.R_OK), _look(path)
            if now is None or signature_of(now) != signature_of(status):
                continue  # it was written or removed between the two looks
            if not readable:
                raise  # it may be a living process's
            return UNWRITTEN if status.st_size == 0 else UNKNOWN
        return None if content is None else owner_from(content) or UNKNOWN
    return None


def _look(path: Path) -> os.stat_result | None:
    """What lies there itself, not what it may link to; ``None`` where nothing does.

    Raises:
        Unreadable: It may not be looked at.
    """
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(path, f"may not be looked at ({reason_of(error)})") from None


def owner_from(content: Any) -> Owner | None:
    """The owner that JSON describes, also as claims did before December 2026; ``None`` if it describes none."""
    try:
        owner = Owner(
            str(content["host"]),
            int(content["pid"]),
            float(content["started"]),
            str(content["token"]),
            str(content.get("boot", "")),
            str(content.get("namespace", "")),
            int(content.get("ticks", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    return owner if math.isfinite(owner.started) else None  # NaN is not even equal to itself


def take(path: Path, mine: Owner, *, alone: bool) -> None:
    """Make ``mine`` the owner.

    Args:
        path: The claim file.
        mine: The new owner.
        alone: Whether a lock keeps everybody else out meanwhile, so that a right that somebody has was left by the dead.

    Raises:
        AlreadyClaimed: Somebody has it who is alive, or of whom nobody here can tell.
    """
    while not _create(path, mine):
        owner = read_owner(path)
        if owner is None:
            continue  # released between the two looks
        if owner.token == mine.token:  # it was made, and only the answer of a network disk was lost
            return
        if not (is_dead(owner) or (alone and owner == UNWRITTEN)):
            raise AlreadyClaimed(f"{path.parent}: in use by {owner}", owner)
        with _right_to_end(path, owner, mine, alone=alone) as granted:
            if granted:
                draft = _write_draft(path, mine)
                draft.rename(path)
                return


def end(path: Path, mine: Owner, *, alone: bool) -> bool:
    """Remove the claim if it is ``mine``.

    Args:
        path: The claim file.
        mine: Whose claim it must be, and who removes it.
        alone: As of `take`.

    Returns:
        Whether it was removed.

    Raises:
        AlreadyClaimed: Somebody else is about to end it.
    """
    with _right_to_end(path, mine, mine, alone=alone) as granted:
        if granted:
            path.unlink()
        return granted


def leave_to_anybody(path: Path, owner: Owner, mine: Owner, *, alone: bool) -> bool:
    """Replace the claim by one that nobody living holds, if it is ``owner``'s.

    Args:
        path: The claim file.
        owner: Whose claim it must be.
        mine: Who does that.
        alone: As of `take`.

    Returns:
        Whether it was replaced.

    Raises:
        AlreadyClaimed: Somebody else is about to end it.
    """
    with _right_to_end(path, owner, mine, alone=alone) as granted:
        if granted:
            nobody = Owner(mine.host, pid=0, started=0.0, token=mine.token)
            _write_draft(path, nobody).rename(path)
        return granted


def is_dead(owner: Owner) -> bool:
    """Whether nobody can be at it any more, as far as can be seen here."""
    return owner != UNWRITTEN and owner.alive is False


def sweep_drafts(path: Path, *, alone: bool) -> None:
    """Remove what dead processes have left of their attempts to claim; for the owner."""
    for draft in path.parent.glob(f"{TEMPORARY}{path.name}.*"):
        try:
            owner = read_owner(draft)
        except Unreadable:
            continue
        if alone or (owner is not None and owner != UNKNOWN and is_dead(owner)):
            draft.unlink(missing_ok=True)


def _create(path: Path, owner: Owner) -> bool:
    """Put a complete claim file into place; false when there is one already."""
    draft = _write_draft(path, owner)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except FileNotFoundError:
        raise
    except OSError:  # no hard links on this disk
        return _create_exclusively(path, draft.read_bytes())
    finally:
        draft.unlink(missing_ok=True)
    return True


def _create_exclusively(path: Path, content: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
    return True


def _write_draft(path: Path, owner: Owner) -> Path:
    draft = path.with_name(f"{TEMPORARY}{path.name}.{owner.token}")
    draft.write_text(json.dumps(asdict(owner)))
    return draft


@contextmanager
def _right_to_end(path: Path, owner: Owner, mine: Owner, *, alone: bool) -> Generator[bool]:
    """Whether the claim is still ``owner``'s; if so, nobody else ends it during the block."""
    key = hashlib.sha256(owner.token.encode()).hexdigest()[:16]  # tokens come from a file, and may hold anything
    right = path.with_name(f"{TEMPORARY}{path.name}.end-{key}")
    if alone:
        right.unlink(missing_ok=True)
    take(right, mine, alone=alone)
    try:
        yield read_owner(path) == owner
    finally:
        right.unlink(missing_ok=True)
