"""A clock for benchmarks that compare one arithmetic with another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

CPU = torch.device("cpu")


def clock_of(device: torch.device) -> Callable[[], float]:
    """A clock in seconds: processor time, to which other work adds nothing, or the wall's once a GPU is done."""

    def when_done() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return time.process_time if device.type == "cpu" else when_done


def time_call(work: Callable[[], Any], device: torch.device = CPU) -> float:
    """Of one call, by `clock_of` the device."""
    clock = clock_of(device)
    start = clock()
    work()
    return clock() - start


def median_seconds(work: Callable[[], object], clock: Callable[[], float], repetitions: int) -> float:
    """Median seconds of a call, after one that does not count."""
    work()
    times: list[float] = []
    for _ in range(repetitions):
        start = clock()
        work()
        times.append(clock() - start)
    return sorted(times)[len(times) // 2]
