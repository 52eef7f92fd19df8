"""Where methods went in training: how often each cell of a task's map was come to, and the bonus there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.analysis.bootstrap import Array
from harness.analysis.run_files import RecordedRun
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable
from harness.runs.results import RunRecords
from harness.runs.visits import MARKS, MapRecord, Stretch, VisitRecord, read_visits

SHOWN_MARKS = (0.1, 0.5, 1.0)
"""The shares of training by which visits are added up; the bonus is that of the tenth of training before each."""

MIN_MAPPED_CELLS = 2
"""Cells of the smallest map that shows anything."""


@dataclass
class VisitMaps:
    """What the runs of a suite tell of their places.

    Attributes:
        maps: The map of each task that has one.
        records: Where each run went, by method and task in the order of seeds, on that map.
        problems: One line for each file that cannot be used.
    """

    maps: dict[str, MapRecord] = field(default_factory=dict[str, MapRecord])
    records: dict[tuple[str, str], list[VisitRecord]] = field(default_factory=dict[tuple[str, str], list[VisitRecord]])
    problems: list[str] = field(default_factory=list[str])


def read_visit_maps(runs: Sequence[RecordedRun], records: RunRecords) -> VisitMaps:
    """Read where runs went.

    Args:
        runs: The runs that are looked at.
        records: Content of each run's ``run.json``, by folder.
    """
    found, by_task = VisitMaps(), dict[str, list[tuple[RecordedRun, VisitRecord]]]()
    for run in runs:
        try:
            visits = read_visits(RunFolder(run.folder), records[run.folder.as_posix()])
        except Unreadable as error:
            found.problems.append(str(error))
            continue
        if visits is not None and visits.map.cells >= MIN_MAPPED_CELLS:
            by_task.setdefault(run.task, []).append((run, visits))
    for task, told in sorted(by_task.items()):
        maps = Counter(visits.map.model_dump_json() for _, visits in told)
        chosen = max(maps, key=lambda text: (maps[text], text))
        found.maps[task] = MapRecord.model_validate_json(chosen)
        for run, visits in told:
            if visits.map != found.maps[task]:
                found.problems.append(f"{run.folder}: its places are on another map than those of other runs of the task")
                continue
            found.records.setdefault((run.label, task), []).append(visits)
    return found


@dataclass(frozen=True)
class Whereabouts:
    """Where the runs of a method had been by some share of training.

    Attributes:
        step: The most steps that any of them had taken then.
        runs: Number of runs that had come so far.
        shares: Mean share of steps that led to each cell, over runs, ``(cells,)``.
        bonus: Mean bonus of the steps to each cell in the tenth before, NaN where there was none, ``(cells,)``; ``None``
            where bonuses do not belong to steps.
        visited: Mean number of cells that a run had come to.
    """

    step: int
    runs: int
    shares: Array
    bonus: Array | None
    visited: float


def whereabouts(records: Sequence[VisitRecord], mark: float) -> Whereabouts | None:
    """Where runs on the same map had been by a share of training; ``None`` if none came so far or stood on any cell.

    Args:
        records: Where each of them went.
        mark: One of `SHOWN_MARKS`.
    """
    until = MARKS.index(mark) + 1
    arrived = [record for record in records if len(record.stretches) >= until]
    counts = [_counts(record, until) for record in arrived]
    counts = [one for one in counts if one.any()]
    if not counts:
        return None
    shares = np.mean([one / one.sum() for one in counts], axis=0)
    visited = float(np.mean([np.count_nonzero(one) for one in counts]))
    last = [record.stretches[until - 1] for record in arrived]
    bonus = _mean_bonus(last, arrived[0].map.cells)
    return Whereabouts(max(stretch.last_step for stretch in last), len(counts), shares, bonus, visited)


def _counts(record: VisitRecord, until: int) -> Array:
    counts = np.zeros(record.map.cells)
    for stretch in record.stretches[:until]:
        counts[stretch.cells] += stretch.visits
    return counts


def _mean_bonus(stretches: Sequence[Stretch], cells: int) -> Array | None:
    """The mean bonus at each cell, over the steps of all runs."""
    sums, visits = np.zeros(cells), np.zeros(cells)
    for stretch in stretches:
        if stretch.bonus is None:
            return None
        sums[stretch.cells] += np.multiply(stretch.bonus, stretch.visits)
        visits[stretch.cells] += stretch.visits
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.divide(sums, visits, out=np.full(cells, np.nan), where=visits > 0)
    return np.where(np.isfinite(means), means, np.nan)


def visit_rows(suite: str, found: VisitMaps, labels: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Every cell that was come to, for each task, method and share of training."""
    for task, place_map in found.maps.items():
        for label in labels:
            for mark, there in marked(found.records.get((label, task), ())).items():
                for cell in np.flatnonzero(there.shares).tolist():
                    row, column = divmod(cell, place_map.columns)
                    bonus = None if there.bonus is None else float(there.bonus[cell])
                    share = float(there.shares[cell])
                    yield suite, task, label, mark, there.step, row, column, share, bonus, there.runs


def marked(records: Sequence[VisitRecord]) -> Mapping[float, Whereabouts]:
    """Where runs had been by each of `SHOWN_MARKS` that any of them came to."""
    found = {mark: whereabouts(records, mark) for mark in SHOWN_MARKS} if records else {}
    return {mark: there for mark, there in found.items() if there is not None}
