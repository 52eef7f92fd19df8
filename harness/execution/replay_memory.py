"""Whether the replay buffers of a plan fit into memory and onto the disk; they fill slowly, and fail late."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import UserError
from harness.execution.capacity import MIN_WORKER_MEMORY_BYTES, default_workers, processes_that_fit
from harness.execution.preflight import nearest_existing
from harness.spec import RunSpec

_GIB = 1 << 30


def workers_that_fit(
    specs: Sequence[RunSpec], results: Path, workers: int | None, replay_bytes: Callable[[RunSpec], int]
) -> int | None:
    """How many runs go at a time, so that all their replay buffers can fill up.

    Args:
        specs: The runs that are to be started.
        results: The results directory; need not exist yet.
        workers: Runs at a time as asked for; ``None`` for the default.
        replay_bytes: What a run's full buffer takes in memory, and as much again on the disk; asked once per kind of run.

    Returns:
        ``workers`` as it is, or where it is ``None`` and memory is short, fewer than the default.

    Raises:
        UserError: The largest buffer, or as many as were asked for, would not fit.
    """
    size, largest = max(_buffer_sizes(specs, replay_bytes), key=lambda sized: sized[0], default=(0, None))
    if not size or largest is None:
        return workers
    wanted = min(workers or default_workers(specs), len(specs))
    fit = processes_that_fit(MIN_WORKER_MEMORY_BYTES + size)
    buffer = f"{largest.label}: a full replay buffer takes {size / _GIB:.1f} GiB"
    smaller = f"algorithm.buffer_size={_suggested_buffer_size(largest, size)}"
    if not fit:
        raise UserError(f"{buffer} of memory, more than is free beside the run itself; make it smaller: --set {smaller}")
    if workers and wanted > fit:
        raise UserError(
            f"{buffer} of memory, and only {fit} of {wanted} would fit; use --workers {fit}, or a smaller buffer_size"
        )
    used = min(wanted, fit)
    free = shutil.disk_usage(nearest_existing(results)).free
    if used * size > free:
        room = f"{results} has {free / _GIB:.1f} GiB left for {used} at a time"
        raise UserError(
            f"{buffer} on the disk too, and {room}; use fewer --workers, a smaller buffer_size, or other --results"
        )
    return workers or (used if used < wanted else None)


def _buffer_sizes(specs: Sequence[RunSpec], replay_bytes: Callable[[RunSpec], int]) -> list[tuple[int, RunSpec]]:
    kinds: dict[str, RunSpec] = {}
    for spec in specs:
        if "buffer_size" in spec.algorithm.config:
            kinds.setdefault(f"{spec.environment.model_dump_json()} {spec.algorithm.config}", spec)
    return [(replay_bytes(spec), spec) for spec in kinds.values()]


def _suggested_buffer_size(spec: RunSpec, size: int) -> int:
    """A round number of transitions that memory holds."""
    requested = spec.algorithm.config["buffer_size"]
    assert isinstance(requested, int)
    holds = processes_that_fit(1) - MIN_WORKER_MEMORY_BYTES
    most = max(int(requested * holds / size), 1000)
    return most // 10 ** (len(str(most)) - 1) * 10 ** (len(str(most)) - 1)
