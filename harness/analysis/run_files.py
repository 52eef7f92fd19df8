"""Which runs' own files are read for what happened in training: enough for a mean, and never thousands."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import polars as pl

MAX_RUNS = 400
"""Runs of a suite whose files are read, beside their records and evaluations; at least one of each method and task."""


class RecordedRun(NamedTuple):
    """A run whose files are read.

    Attributes:
        label: Label of its method.
        task: Name of its task.
        seed: Seed of the run.
        folder: Path of its folder.
    """

    label: str
    task: str
    seed: int
    folder: Path


def chosen_runs(runs: pl.DataFrame, most: int = MAX_RUNS) -> list[RecordedRun]:
    """The runs with the lowest seeds of each method and task, as many of each as the bound allows.

    Args:
        runs: A row for each run that counts, `harness.runs.results.Results.runs`.
        most: The bound; that there is one of each goes before it.
    """
    present = runs.drop_nulls("folder").sort("task", "label", "seed").select("label", "task", "seed", "folder")
    groups = [list(group) for _, group in groupby(present.iter_rows(), key=itemgetter(0, 1))]
    each = max(1, most // max(1, len(groups)))
    chosen = [run for group in groups for run in group[:each]]
    return [RecordedRun(label, task, seed, Path(folder)) for label, task, seed, folder in chosen]
