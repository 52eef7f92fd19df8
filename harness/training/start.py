"""The checkpoint of the run that another begins from."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ResultsError, RunError
from harness.runs.folder import RunFolder
from harness.spec import StartSpec
from harness.training import checkpoints, trees


def load_start_checkpoint(start: StartSpec, results: Path) -> tuple[int, trees.Tree]:
    """The last checkpoint of a finished run.

    Args:
        start: The run to begin from.
        results: The results directory.

    Returns:
        Its step and its tree.

    Raises:
        RunError: The run is missing, unfinished, another one by now, or its checkpoint is damaged.
    """
    folder = RunFolder(results / start.path)
    try:
        record = folder.read()
        state = folder.state(record)
    except ResultsError as error:
        raise RunError(f"the run that this one begins from cannot be read: {error}") from error
    if record.digest != start.digest:
        raise RunError(f"{folder.path}: this run begins from {start.digest}, and {record.digest} is there by now")
    if state != "finished":
        raise RunError(f"{folder.path}: the run that this one begins from is {state}, not finished; run it first")
    found = checkpoints.load(folder.checkpoint)
    if found is None:
        raise RunError(f"{folder.checkpoint}: the checkpoint that this run begins from is gone; run that one with --fresh")
    return found
