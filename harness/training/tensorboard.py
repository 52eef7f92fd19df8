"""TensorBoard's events, as a tracker of every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.tracking.base import Ending, RunTracker, TrackedRun

_EVENTS = "events.out.*"


class TensorBoardTracker(RunTracker):
    """Events of one attempt at a run, in its folder; those of earlier attempts that count no more are hidden."""

    _writer: Any = None

    def begin(self, run: TrackedRun) -> None:
        """Open a new file of events."""
        from torch.utils.tensorboard.writer import SummaryWriter

        before = set(run.folder.glob(_EVENTS))
        self._writer = SummaryWriter(str(run.folder), purge_step=max(run.step + 1, 0))  # it hides this step as well
        self.files = set(run.folder.glob(_EVENTS)) - before

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write numbers."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, step)

    def log_evaluation(self, step: int, episodes: Sequence[Mapping[str, float]]) -> None:
        """Write the score."""
        self.log(step, {"eval/mean_reward": float(np.mean([episode["return"] for episode in episodes]))})

    def flush(self) -> None:
        """Hand everything so far to the system, so that a kill of this process loses none of it."""
        self._writer.flush()

    def end(self, ending: Ending) -> None:
        """Flush and close."""
        if self._writer is not None:
            self._writer.close()
