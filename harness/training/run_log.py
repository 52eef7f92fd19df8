"""What is written of a run while it trains: progress.csv, evaluations.csv and TensorBoard's events, which agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.errors import RunError, printable
from harness.runs.folder import RunFolder
from harness.training.evaluation import CUT, Episode
from harness.training.logs import CsvTable, TensorBoardWriter
from harness.training.own_files import OwnFiles

_COUNTS = ("time/iterations", "time/total_timesteps")
_MOST_OF_A_NAME = 100


class RunLog:
    """The tables and events of one attempt at a run.

    Args:
        folder: The folder of the run.
        own_files: The files that nobody else may change; the log's are added.
        with_phases: Whether the run has phases, which both tables name in a column.
    """

    def __init__(self, folder: RunFolder, own_files: OwnFiles, *, with_phases: bool) -> None:
        self._folder, self._own_files = folder, own_files
        self._progress = CsvTable(folder.progress_file, own_files=own_files)
        columns = ("step", "episode", "return", "length", *(("phase",) if with_phases else ()))
        self._evaluations = CsvTable(folder.evaluations_file, columns, own_files)
        self._tensorboard: TensorBoardWriter | None = None

    def begin(self, kept: int) -> None:
        """Go on where the run does: rows and events of later steps count no more.

        Args:
            kept: The step of the checkpoint that the run goes on from; below 0 if there is none.
        """
        self._progress.rewind("time/total_timesteps", kept)
        self._evaluations.rewind("step", kept)
        self._tensorboard = TensorBoardWriter(self._folder.path, kept)
        self._own_files.remember_growing(*self._tensorboard.files)

    def check_complete(self, step: int, score: float | None) -> None:
        """Make sure that the tables reach as far as the checkpoint that the run goes on from.

        Args:
            step: The step of the checkpoint.
            score: The score that the checkpoint knows; ``None`` if there was no evaluation before it.

        Raises:
            RunError: Rows are gone.
        """
        complete = {
            self._progress.path: self._progress.last == step,
            self._evaluations.path: score is None or self._evaluations.last is not None,
        }
        for path, whole in complete.items():
            if not whole:
                raise RunError(
                    f"{path}: what it held up to the checkpoint, at step {step:,}, is gone, so this can be"
                    " no whole run any more; run again with --fresh to start over"
                )

    def write_update(
        self,
        step: int,
        metrics: Mapping[str, float],
        bonus_metrics: Mapping[str, float],
        *,
        seconds: float,
        speed: float,
        phase: str | None,
    ) -> None:
        """Write the row of an update.

        Args:
            step: Number of steps taken so far.
            metrics: What the learner measured, by the full names of columns.
            bonus_metrics: What the method measured, by names that a prefix is put before.
            seconds: Wall-clock seconds of training, over all attempts.
            speed: Steps a second of this attempt.
            phase: Name of the present phase; ``None`` for a run without phases.
        """
        row: dict[str, Any] = {name: metrics[name] for name in _COUNTS}
        row |= {"phase": phase} if phase else {}
        row |= {"time/time_elapsed": round(seconds, 3), "time/fps": round(speed, 1)}
        row |= {f"intrinsic/{printable(name, _MOST_OF_A_NAME)}": value for name, value in bonus_metrics.items()}
        rest = {printable(name, _MOST_OF_A_NAME): value for name, value in metrics.items() if name not in row}
        row |= dict(sorted(rest.items()))
        self._progress.append(row)
        self._events.write(row, step)

    def write_evaluation(self, step: int, episodes: Sequence[Episode], *, phase: str | None, bounded: bool) -> float:
        """Write the rows of an evaluation.

        Args:
            step: Number of steps taken so far.
            episodes: The episodes in their order, at least one.
            phase: Name of the present phase; ``None`` for a run without phases.
            bounded: Whether episodes have a largest length, so that a column says which were cut.

        Returns:
            The score, the mean return.
        """
        for number, episode in enumerate(episodes):
            row: dict[str, Any] = {"step": step, "episode": number}
            row |= {"return": episode.episode_return, "length": episode.length}
            row |= {CUT: int(episode.cut)} if bounded else {}
            row |= {"phase": phase} if phase else {}
            row |= {printable(name, _MOST_OF_A_NAME): value for name, value in episode.metrics.items()}
            self._evaluations.append(row)
        score = float(np.mean([episode.episode_return for episode in episodes]))
        self._events.write({"eval/mean_reward": score}, step)
        return score

    def sync(self) -> None:
        """Make everything so far survive a kill, and rows a power cut."""
        self._events.flush()
        self._progress.sync()
        self._evaluations.sync()

    def close(self) -> None:
        """Close every file."""
        if self._tensorboard is not None:
            self._tensorboard.close()
        self._progress.close()
        self._evaluations.close()

    @property
    def _events(self) -> TensorBoardWriter:
        assert self._tensorboard is not None, "begin() comes first"
        return self._tensorboard
