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
        if ":" in str(device):
            torch.cuda.set_device(device)  # where all that names no GPU goes, and whose generator is the run's
        torch.cuda.init()
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)


def get_state() -> dict[str, Any]:
    """The state of Python's, NumPy's and torch's global generators, as a tree.

    Of GPUs only the one that this process uses counts, and none where it uses none: to look at another would make a context
    there, which takes hundreds of megabytes.
    """
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    streams: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (name, keys, position, has_gauss, cached),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_initialized():
        streams["cuda"] = [torch.cuda.get_rng_state()]
    return streams


def set_state(streams: dict[str, Any]) -> None:
    """Continue every stream where `get_state` saw it, also if that was on a machine with other GPUs, or with none."""
    random.setstate(streams["python"])
    np.random.set_state(streams["numpy"])
    torch.set_rng_state(streams["torch"])
    if streams.get("cuda") and torch.cuda.is_initialized():
        states = streams["cuda"]  # before December 2026 of all GPUs that a machine had
        current = torch.cuda.current_device()
        torch.cuda.set_rng_state(states[current if current < len(states) else 0])


@contextmanager
def temporary_seed(seed: int) -> Generator[None]:
    """Seed all global streams for a block and put them back afterwards, so that the block leaves no trace."""
    before = get_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(seed)
    try:
        yield
    finally:
        set_state(before)
