"""The executor ``local``: worker processes on this machine, each training one run after another."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from harness.execution.attempt import TRAIN
from harness.execution.capacity import default_workers
from harness.execution.executor import ExecutionOptions, SessionExecutor
from harness.execution.preflight import check_device, check_writable, replay_bytes_of
from harness.execution.rehearsal import distinct_builds, require_buildable
from harness.execution.replay_memory import workers_that_fit
from harness.execution.worker_pool import WorkerPool
from harness.spec import RunSpec


class LocalExecutor(SessionExecutor):
    """Worker processes on this machine.

    Args:
        train: Import path of the function that trains a run.
    """

    def __init__(self, train: str = TRAIN) -> None:
        self.train = train
        self._built: set[str] = set()
        self._warm: WorkerPool | None = None
        self._close_unused: Any = None

    def preflight(self, specs: Sequence[RunSpec], options: ExecutionOptions) -> ExecutionOptions:
        """Refuse runs that cannot be built, and a device, replay buffers or a results directory that this machine has not.

        Each task is built once with each method, by workers with which the next session goes on.

        Returns:
            The options with one worker per core, or fewer where memory is short, if the user names no number.
        """
        check_device(options.device)
        workers = workers_that_fit(specs, options.results, options.workers, replay_bytes_of) or default_workers(specs)
        check_writable(options.results)
        self._build(specs, workers)
        return options.with_workers(workers)

    def open_session(self, options: ExecutionOptions) -> WorkerPool:
        """See `harness.execution.executor.SessionExecutor`."""
        pool = WorkerPool(
            options.results,
            device=options.device,
            fresh=options.fresh,
            stall=options.stall,
            train=self.train,
            trackers=options.trackers,
        )
        if warm := self._take_warm_workers():
            pool.adopt(warm)
        return pool

    def _build(self, specs: Sequence[RunSpec], workers: int) -> None:
        """Build what this executor has not built before; keep the workers that did so."""
        new = {key: spec for key, spec in distinct_builds(specs).items() if key not in self._built}
        if not new or self.train != TRAIN:  # whatever else trains, building says nothing about it
            return
        if unused := self._take_warm_workers():
            unused.close()
        pool = require_buildable(list(new.values()), workers)
        self._warm, self._close_unused = pool, weakref.finalize(self, pool.close)
        self._built |= new.keys()

    def _take_warm_workers(self) -> WorkerPool | None:
        pool, self._warm = self._warm, None
        if pool is not None:
            self._close_unused.detach()
        return pool
