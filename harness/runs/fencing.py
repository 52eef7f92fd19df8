"""The folders that this process has claimed, and the rule for them: a file there is changed only while the claim is ours.

Whoever changes a file asks here, as `harness.runs.files` does for all that is replaced: so a process that lost a folder while
it stood still changes nothing more in it, whichever part of it comes next.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol


class Fence(Protocol):
    """What lets changes through: a `harness.runs.lock.Claim`."""

    def publishing(self) -> AbstractContextManager[None]:
        """Let a change through, or raise an error."""
        ...


_fences: dict[str, Fence] = {}


@contextmanager
def fenced(folder: Path, fence: Fence) -> Generator[None]:
    """Ask a fence about every change below a folder during a block."""
    key = str(folder.absolute())
    _fences[key] = fence
    try:
        yield
    finally:
        del _fences[key]


def publishing(path: Path) -> AbstractContextManager[None]:
    """The context in which a file or folder may be changed; below no claimed folder that is any.

    Raises:
        harness.runs.lock.LostClaim: On entering, if another process has taken the folder over.
    """
    if _fences:
        text = str(path.absolute())
        for folder, fence in list(_fences.items()):
            if text == folder or text.startswith(folder + os.sep):
                return fence.publishing()
    return nullcontext()
