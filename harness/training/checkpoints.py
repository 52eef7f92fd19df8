"""Checkpoints: a folder that is there whole or not at all, with a checksum, and nothing in it that could run.

``checkpoint/step-000000004096/`` holds ``tensors.safetensors`` and ``state.json`` (the skeleton of `harness.training.trees`
and the tensors' SHA-256). It is written under a temporary name, flushed, and renamed; only then is its predecessor removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch

from harness.errors import RunError
from harness.runs.files import TEMPORARY, sync_folder, write_bytes_atomic, write_text_atomic
from harness.runs.guarded import Unreadable, read_bytes, read_json
from harness.runs.kept import CHECKPOINT_PREFIX, complete_checkpoints
from harness.training import trees

FORMAT = 1
_MAX_TENSOR_BYTES = 1 << 38


def save(folder: Path, step: int, tree: trees.Tree) -> Path:
    """Publish a checkpoint and remove its predecessors.

    Args:
        folder: The run's ``checkpoint/``; created if need be.
        step: Steps taken; names the checkpoint.
        tree: Everything that the next step depends on.

    Returns:
        The checkpoint's own folder.
    """
    folder.mkdir(exist_ok=True)
    for leftover in folder.glob(f"{TEMPORARY}*"):
        shutil.rmtree(leftover)
    skeleton, tensors = trees.flatten(tree)
    data = safetensors.torch.save(tensors)
    state = {"format": FORMAT, "step": step, "sha256": hashlib.sha256(data).hexdigest(), "state": skeleton}
    draft, final = folder / f"{TEMPORARY}{os.getpid()}", folder / f"{CHECKPOINT_PREFIX}{step:012d}"
    draft.mkdir()
    write_bytes_atomic(draft / "tensors.safetensors", data)
    write_text_atomic(draft / "state.json", json.dumps(state, allow_nan=False))
    if final.exists():  # the same step again, after a resume from before it
        shutil.rmtree(final)
    draft.rename(final)
    sync_folder(folder)
    for older in complete_checkpoints(folder)[:-1]:
        shutil.rmtree(older)
    return final


def load(folder: Path) -> tuple[int, trees.Tree] | None:
    """The newest checkpoint.

    Returns:
        Its step and its tree, tensors on the CPU; ``None`` when there is none.

    Raises:
        RunError: When it is damaged.
    """
    complete = complete_checkpoints(folder)
    if not complete:
        return None
    newest = complete[-1]
    try:
        state: dict[str, Any] | None = read_json(newest / "state.json")
        if state is None:
            raise RunError(_damaged(newest, "its state.json is missing"))
        data = read_bytes(newest / "tensors.safetensors", _MAX_TENSOR_BYTES) or b""
        intact = state["format"] == FORMAT and hashlib.sha256(data).hexdigest() == state["sha256"]
        tree = trees.unflatten(state["state"], safetensors.torch.load(data)) if intact else None
        step = int(state["step"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, Unreadable, safetensors.SafetensorError) as error:
        raise RunError(_damaged(newest, error)) from error
    if not intact:
        raise RunError(_damaged(newest, "its checksum or format does not match"))
    return step, tree


def _damaged(checkpoint: Path, cause: object) -> str:
    return f"{checkpoint}: the checkpoint is damaged ({cause}); run again with --fresh to start over"
