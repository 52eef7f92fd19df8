"""The device that a run trains on, and how runs that go at a time share several GPUs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.errors import UserError

if TYPE_CHECKING:
    import torch  # light modules name `SLOT_VARIABLE`

SLOT_VARIABLE = "HARNESS_WORKER_SLOT"
"""Environment variable with the place of a worker process among those that train at a time, counted from 0. Workers whose
user names no GPU share out the GPUs by it: one each while there are enough, then several on each."""


def choose_device(name: str) -> torch.device:
    """The device called ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        UserError: There is no such device here.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"unknown device {name!r}: auto, cpu, cuda and cuda:N are known") from None
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"device {name} is not supported: auto, cpu, cuda and cuda:N are")
    if device.type == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError("device cuda is not available here: torch sees no GPU; use --device cpu")
    count = torch.cuda.device_count()
    if ":" not in name:
        return torch.device("cuda", _slot() % count) if count > 1 else device
    if device.index >= count:
        there = "one GPU, cuda:0" if count == 1 else f"{count} GPUs, cuda:0 to cuda:{count - 1}"
        raise UserError(f"device {name} is not there: torch sees {there}")
    return device


def _slot() -> int:
    text = os.environ.get(SLOT_VARIABLE, "0")
    return int(text) if text.isdecimal() else 0
