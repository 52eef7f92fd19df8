"""How many runs fit on this machine at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence

import psutil

from harness.spec import RunSpec


def threads_of(spec: RunSpec) -> int:
    """CPU threads that a run uses; one, unless its algorithm is configured otherwise."""
    threads = spec.algorithm.config.get("threads", 1)
    return threads if isinstance(threads, int) else 1


def cores() -> int:
    """CPU cores that this process may use, which a cluster's scheduler may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers(specs: Sequence[RunSpec], memory_bytes: int | None = None) -> int:
    """One run per core, or per as many cores as a run has threads; fewer where they would not fit into memory.

    Args:
        specs: The runs.
        memory_bytes: What the largest of them needs, if known.
    """
    by_cores = cores() // max(map(threads_of, specs), default=1)
    by_memory = psutil.virtual_memory().available // memory_bytes if memory_bytes else by_cores
    return max(1, min(by_cores, by_memory))
