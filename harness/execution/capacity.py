"""How many runs fit on this machine at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence

import psutil

from harness.spec import RunSpec

MIN_WORKER_MEMORY_BYTES = 1 << 30
"""What a worker is taken to need when nothing better is known: its libraries, and a run of small observations."""


def threads_of(spec: RunSpec) -> int:
    """CPU threads that a run uses; one, unless its algorithm is configured otherwise."""
    threads = spec.algorithm.config.get("threads", 1)
    return threads if isinstance(threads, int) else 1


def cores() -> int:
    """CPU cores that this process may use, which a cluster's scheduler may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes_that_fit(memory_bytes: int) -> int:
    """How many processes of this size the memory that is free now can hold."""
    return psutil.virtual_memory().available // max(memory_bytes, 1)


def default_workers(specs: Sequence[RunSpec]) -> int:
    """One run per core, or per as many cores as a run has threads; fewer where memory is very short."""
    by_cores = cores() // max(map(threads_of, specs), default=1)
    return max(1, min(by_cores, processes_that_fit(MIN_WORKER_MEMORY_BYTES), len(specs)))
