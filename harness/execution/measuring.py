"""Measuring a run before it is started: in a process of its own, as training is, and like that without passwords."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from harness.execution.environment import SECRET_VARIABLES
from harness.spec import RunSpec

if TYPE_CHECKING:
    from harness.training.estimate import ResourceEstimate  # imports torch


def measure(spec: RunSpec, device: str = "auto") -> ResourceEstimate:
    """What one run will need, by `harness.training.estimate.estimate`; no memory that an earlier one left behind counts."""
    with measuring_process() as process:
        return process.submit(_estimate, spec, device).result()


def measuring_process() -> ProcessPoolExecutor:
    """A new process whose environment variables hold no password when the first plugin is loaded in it."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_forget_passwords)


def _forget_passwords() -> None:
    for name in SECRET_VARIABLES:
        os.environ.pop(name, None)


def _estimate(spec: RunSpec, device: str) -> ResourceEstimate:
    from harness.training.estimate import estimate

    return estimate(spec, device)
