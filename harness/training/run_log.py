"""What is written of a run while it trains: progress.csv and evaluations.csv, and what its trackers are told; all agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.errors import RunError, printable
from harness.runs.folder import RunFolder
from harness.tracking.base import Ending, TrackedRun
from harness.tracking.followers import Followers
from harness.training.evaluation import CUT, Episode
from harness.training.logs import CsvTable
from harness.training.own_files import OwnFiles

_COUNTS = ("time/iterations", "time/total_timesteps")
_MOST_OF_A_NAME = 100


class RunLog:
    """The tables of one attempt at a run, and the trackers that follow it.

    Args:
        folder: The folder of the run.
        own_files: The files that nobody else may change; the log's are added.
        followers: The trackers of the run.
        with_phases: Whether the run has phases, which both tables name in a column.
    """

    def __init__(self, folder: RunFolder, own_files: OwnFiles, followers: Followers, *, with_phases: bool) -> None:
        self._own_files, self._followers = own_files, followers
        self._progress = CsvTable(folder.progress_file, own_files=own_files)
        columns = ("step", "episode", "return", "length", *(("phase",) if with_phases else ()))
        self._evaluations = CsvTable(folder.evaluations_file, columns, own_files)

    def begin(self, run: TrackedRun) -> None:
        """Go on where the run does: rows and events after its checkpoint, if there is one, count no more.

        Args:
            run: The run as its trackers are told of it.
        """
        self._progress.rewind("time/total_timesteps", run.step)
        self._evaluations.rewind("step", run.step)
        self._own_files.remember_growing(*self._followers.begin(run))

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
        self._followers.log(step, row)

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
        measured = [{"return": each.episode_return, "length": each.length, **each.metrics} for each in episodes]
        self._followers.log_evaluation(step, measured)
        return score

    def sync(self) -> None:
        """Make everything so far survive a kill, and rows a power cut."""
        self._followers.flush()
        self._progress.sync()
        self._evaluations.sync()

    def close(self, ending: Ending) -> None:
        """Close every file.

        Args:
            ending: How the attempt ended.
        """
        self._followers.close_own(ending)
        self._progress.close()
        self._evaluations.close()
