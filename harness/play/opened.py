"""A run's newest checkpoint as a policy that can act. The folder is read only: not claimed, and never written."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import ResultsError, RunError, UserError, printable
from harness.registry import Registry
from harness.registry.error_summary import summarise_error
from harness.runs.folder import RunFolder, RunRecord, find_runs
from harness.runs.guarded import Unreadable
from harness.spec import EvaluationSpec
from harness.training import checkpoints
from harness.training.assembly import Assembly, assemble
from harness.training.devices import choose_device
from harness.training.soundness import SoundnessCheck

_ATTEMPTS, _PAUSE_SECONDS = 3, 0.2
"""Looks at a checkpoint, and the time between two: a run that goes on may replace it meanwhile."""

_NAMED = 3  # runs that a message names


@dataclass(frozen=True)
class OpenedRun:
    """A run whose policy can act.

    Attributes:
        folder: The folder of the run.
        record: Content of its ``run.json``.
        step: Steps after which the checkpoint was made.
        evaluations: Number of the run's own evaluations that were made before the checkpoint.
        assembly: The policy and its environments; those for training are stand-ins.
        device: Name of the device that networks are on.
    """

    folder: RunFolder
    record: RunRecord
    step: int
    evaluations: int
    assembly: Assembly
    device: str


@contextmanager
def opened_run(
    path: Path, registry: Registry, *, evaluation: EvaluationSpec | None = None, device: str = "auto"
) -> Generator[OpenedRun]:
    """The policy of a run, as its newest checkpoint has it; environments are closed afterwards.

    Args:
        path: Folder of the run, finished or not.
        registry: Finds what the run names.
        evaluation: The number of episodes to be played; ``None`` for as many as in the run's own evaluations.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UserError: This is no run's folder, something that the run needs is not installed, or there is no checkpoint that can
            be used.
    """
    folder = RunFolder(path)
    record, chosen = read_run(path), choose_device(device)
    spec = record.spec
    try:
        assembly = assemble(spec, chosen, registry, only_evaluate=evaluation or spec.evaluation)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ResultsError(f"{folder.record_file}: its settings are not valid here ({where}: {first['msg']})") from None
    except MemoryError:
        raise ResultsError(f"{folder.path}: what this run needs is more than the memory of this machine") from None
    try:
        step, evaluations = _restore(folder, record, assembly)
        yield OpenedRun(folder, record, step, evaluations, assembly, str(chosen))
    finally:
        assembly.close()


def read_run(path: Path) -> RunRecord:
    """The record of a run.

    Raises:
        UserError: This is no run's folder, or the record cannot be read.
    """
    folder = RunFolder(path)
    try:
        return folder.read()
    except Unreadable as error:
        if folder.started:
            raise
        raise UserError(_no_run(folder.path)) from error


def _no_run(path: Path) -> str:
    problem = f"{path}: this is not the folder of a run, which holds a run.json"
    try:
        runs, _ = find_runs(path)
    except ResultsError:
        return f"{path}: no such folder"
    if not runs:
        return problem
    names = ", ".join(run.path.as_posix() for run in runs[:_NAMED])
    return f"{problem}; there are {len(runs)} below it: {names}{', ...' if len(runs) > _NAMED else ''}"


def _restore(folder: RunFolder, record: RunRecord, assembly: Assembly) -> tuple[int, int]:
    """Bring learner and method to the newest checkpoint; returns its step, and how many evaluations lie before it."""
    step, state = _load(folder)
    learner, reward = assembly.learner, assembly.reward
    check = SoundnessCheck(assembly)
    try:
        _check_digest(folder, record, state)
        learner.begin(record.spec.steps)
        learner.load_state_dict(state["learner"], state["observations"])
        if reward is not None:
            reward.load_state_dict(state["reward"])
        evaluations = int(state["evaluated"])
    except UserError:
        raise
    except Exception as error:  # whatever lies there in place of what was saved, some library stumbles over it
        cause = printable(summarise_error(error), 300)
        raise ResultsError(f"{folder.checkpoint}: the checkpoint does not fit the run's settings: {cause}") from error
    try:
        check.state()
    except RunError as error:
        raise ResultsError(f"{folder.checkpoint}: {error}") from error
    return step, evaluations


def _check_digest(folder: RunFolder, record: RunRecord, state: Any) -> None:
    if state["digest"] != record.digest:
        raise ResultsError(f"{folder.checkpoint}: the checkpoint is another run's")


def _load(folder: RunFolder) -> tuple[int, Any]:
    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        try:
            found = checkpoints.load(folder.checkpoint)
        except RunError as error:
            if last:
                raise ResultsError(str(error)) from error
        except OSError as error:
            raise ResultsError(f"{folder.checkpoint}: cannot be read ({error.strerror or error})") from error
        else:
            if found is not None:
                return found
            if last:
                raise ResultsError(f"{folder.path}: there is no checkpoint yet, so there is no policy to look at")
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError
