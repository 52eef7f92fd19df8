"""Every random stream that a run draws from: seeding, saving, restoring, and borrowing without a trace."""

from __future__ import annotations

import os
import random
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def make_deterministic(device: torch.device, threads: int) -> None:
    """Ask torch for the same numbers every time on this device.

    Args:
        device: Where the run trains.
        threads: CPU threads; sums depend on their number.
    """
    torch.set_num_threads(threads)
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)


def get_state() -> dict[str, Any]:
    """The state of Python's, NumPy's and torch's global generators, as a tree."""
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    streams: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (name, keys, position, has_gauss, cached),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        streams["cuda"] = torch.cuda.get_rng_state_all()
    return streams


def set_state(streams: dict[str, Any]) -> None:
    """Continue every stream where `get_state` saw it."""
    random.setstate(streams["python"])
    np.random.set_state(streams["numpy"])
    torch.set_rng_state(streams["torch"])
    if "cuda" in streams and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(streams["cuda"])


@contextmanager
def temporary_seed(seed: int) -> Generator[None]:
    """Seed all global streams for a block and put them back afterwards, so that the block leaves no trace."""
    before = get_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        set_state(before)
