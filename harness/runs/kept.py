"""How much of a run the disk holds."""

from __future__ import annotations

from pathlib import Path

from harness.runs.folder import RunFolder

CHECKPOINT_PREFIX = "step-"
"""Begins the name of each complete checkpoint, which goes on with its step."""


def complete_checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints in a run's ``checkpoint/``, oldest first; a folder has its name only once it is whole."""
    return sorted(folder.glob(f"{CHECKPOINT_PREFIX}*")) if folder.is_dir() else []


def kept_step(folder: RunFolder) -> int | None:
    """The step at which the run would go on, as the disk has it now; ``None`` if it would begin anew."""
    try:
        complete = complete_checkpoints(folder.checkpoint)
        return int(complete[-1].name.removeprefix(CHECKPOINT_PREFIX)) if complete else None
    except (OSError, ValueError):
        return None
