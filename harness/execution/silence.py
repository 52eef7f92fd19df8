"""Runs that have not been heard of for a long time: first a notice, and where the suite wants it, an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from harness.execution.events import RunQuiet
from harness.execution.worker_process import WorkerProcess
from harness.spec import RunSpec

QUIET_SECONDS = 300.0
"""Silence after which there is a first notice; further ones come each time it has doubled."""

_PAUSE_SECONDS = 10.0
"""A longer time between two looks was none in which anybody could be heard."""


class Silence:
    """Watches for how long the runs of workers have not reported anything.

    Args:
        stall: Seconds of silence after which a run counts as stalled; ``None`` for never.
        clock: Seconds that pass.
    """

    def __init__(self, stall: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stall, self._clock = stall, clock
        self._last_look = clock()
        self._next_notice: dict[int, float] = {}

    def forget(self, worker: WorkerProcess) -> None:
        """A worker begins another run."""
        self._next_notice.pop(id(worker), None)

    def check(self, workers: Iterable[WorkerProcess]) -> tuple[list[RunQuiet], list[tuple[WorkerProcess, str]]]:
        """Look at all workers that have a run.

        Returns:
            The notices that are due, and each worker whose run has stalled with the sentence that says so.
        """
        now = self._clock()
        paused = now - self._last_look if now - self._last_look > _PAUSE_SECONDS else 0.0
        self._last_look = now
        notices: list[RunQuiet] = []
        stalled: list[tuple[WorkerProcess, str]] = []
        for worker in workers:
            # Where this process was suspended, so were they; where it was busy, nothing they said was heard.
            worker.last_heard = min(worker.last_heard + paused, now)
            worker.last_progress = min(worker.last_progress + paused, now)
            silent = now - worker.last_heard
            assert worker.spec is not None
            if self._stall is not None and now - worker.last_progress >= self._stall:
                stalled.append((worker, _describe_stall(worker, worker.spec, self._stall)))
            elif silent < QUIET_SECONDS:
                self.forget(worker)
            elif silent >= self._next_notice.get(id(worker), QUIET_SECONDS):
                self._next_notice[id(worker)] = 2 * silent
                notices.append(RunQuiet(worker.spec, silent, worker.progress))
        return notices, stalled


def _describe_stall(worker: WorkerProcess, spec: RunSpec, stall: float) -> str:
    if worker.progress is None:
        where = "while everything was loaded and made"
    else:
        where = f"at step {worker.progress.step:,} of {spec.steps:,}, in its {worker.progress.activity}"
    return (
        f"made no progress for {stall:g} seconds, the suite's 'stall', and was stopped: last heard of {where};"
        " the log shows what it was doing, and the same command goes on from its last checkpoint"
    )
