"""A clock for benchmarks that compare one arithmetic with another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

CPU = torch.device("cpu")


def time_call(work: Callable[[], Any], device: torch.device = CPU) -> float:
    """Of one call: processor time, to which other work on the machine adds nothing, or a GPU's time from first to last."""
    if device.type == "cpu":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start
