"""The evaluations of a run, from ``evaluations.csv``: means over the episodes of each."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import printable
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.guarded import MIB, Unreadable, to_count, to_number

_NOT_MEASURED = frozenset({"suite", "task", "label", "seed", "folder", "step", "episode", "episodes", "phase"})
"""Columns that say which episode it was, or would hide those of tables."""

_MAX_BYTES = 64 * MIB

_LARGEST_RETURN = 1e100
"""A number beyond this is no return; statistics of such numbers would overflow."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation.

    Attributes:
        step: Steps taken before it.
        episodes: Number of its episodes.
        means: The mean over its episodes of ``return`` and of what else the task measures; ``None`` where nothing was.
    """

    step: int
    episodes: int
    means: Mapping[str, float | None]

    @property
    def score(self) -> float | None:
        """The mean return; ``None`` where it is not finite."""
        value = self.means["return"]
        return value if value is not None and math.isfinite(value) else None


def read_evaluations(folder: RunFolder) -> tuple[list[Evaluation], list[str]]:
    """Every evaluation of a run, by step; rows that were cut short are left out.

    Returns:
        The evaluations, and one line for what could not be read: the whole file, or rows of it.
    """
    file = folder.evaluations_file
    try:
        header, rows = read_csv_rows(file, _MAX_BYTES)
    except Unreadable as error:
        return [], [str(error)]
    if not header:
        return [], []
    if not {"step", "return"} <= set(header):
        return [], [str(Unreadable(file, f"needs the columns 'step' and 'return', has {', '.join(header)}"))]
    names = list(dict.fromkeys(name for name in header if name not in _NOT_MEASURED))
    by_step: dict[int, list[dict[str, float | None]]] = {}
    refused: list[tuple[int, str]] = []
    for i, row in enumerate(rows, 1):
        if problem := _problem(row):
            refused.append((i, problem))
        else:
            by_step.setdefault(to_count(row["step"]) or 0, []).append({name: to_number(row[name]) for name in names})
    found = [Evaluation(step, len(episodes), _means(episodes, names)) for step, episodes in sorted(by_step.items())]
    return found, _describe(folder, refused)


def _problem(row: Mapping[str, str]) -> str:
    """What is wrong with a row, in a few words; nothing if it is an episode's."""
    if to_count(row["step"]) is None:
        return f"step is no count, but {printable(repr(row['step']), 40)}"
    value = to_number(row["return"])
    if value is None or (math.isfinite(value) and abs(value) > _LARGEST_RETURN):
        return f"return is no number that a return can be, but {printable(repr(row['return']), 40)}"
    return ""


def _describe(folder: RunFolder, refused: Sequence[tuple[int, str]]) -> list[str]:
    if not refused:
        return []
    (row, problem), others = refused[0], len(refused) - 1
    more = f", and {others} more rows like it" if others else ""
    return [str(Unreadable(folder.evaluations_file, f"row {row} is left out: {problem}{more}"))]


def _means(episodes: Sequence[Mapping[str, float | None]], names: Collection[str]) -> dict[str, float | None]:
    """Means over those episodes that have a value."""
    means: dict[str, float | None] = {}
    for name in names:
        known = [value for episode in episodes if (value := episode[name]) is not None]
        means[name] = sum(known) / len(known) if known else None
    return means
