"""The executor ``local``: worker processes on this machine, each training one run after another."""

from __future__ import annotations

from collections.abc import Sequence

from harness.execution.attempt import TRAIN
from harness.execution.capacity import default_workers
from harness.execution.executor import ExecutionOptions, SessionExecutor
from harness.execution.preflight import check_device, check_writable, replay_bytes_of
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

    def preflight(self, specs: Sequence[RunSpec], options: ExecutionOptions) -> ExecutionOptions:
        """Refuse a device, replay buffers or a results directory that this machine does not have.

        Returns:
            The options with one worker per core, or fewer where memory is short, if the user names no number.
        """
        check_device(options.device)
        workers = workers_that_fit(specs, options.results, options.workers, replay_bytes_of) or default_workers(specs)
        check_writable(options.results)
        return options.with_workers(workers)

    def open_session(self, options: ExecutionOptions) -> WorkerPool:
        """See `harness.execution.executor.SessionExecutor`."""
        return WorkerPool(options.results, device=options.device, fresh=options.fresh, train=self.train)
