"""The evaluations of a run, from ``evaluations.csv``: means over the episodes of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.errors import printable
from harness.runs.files import read_csv_lines
from harness.runs.folder import RunFolder
from harness.runs.guarded import MAX_NUMBER_LENGTH, MIB, Unreadable, to_count, to_number

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
        header, rows = read_csv_lines(file, _MAX_BYTES)
    except Unreadable as error:
        return [], [str(error)]
    if not header:
        return [], []
    if not {"step", "return"} <= set(header):
        return [], [str(Unreadable(file, f"needs the columns 'step' and 'return', has {', '.join(header)}"))]
    places = {name: i for i, name in enumerate(header)}  # of a name that comes twice the last column counts
    names = [name for name in places if name not in _NOT_MEASURED]
    cells = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    counts = {text: to_count(text) for text in set(cells[places["step"]])}
    columns = [_numbers(cells[places[name]]) for name in names]
    by_step: dict[int, list[int]] = {}
    refused: list[tuple[int, str]] = []
    for i, (step, value) in enumerate(zip(cells[places["step"]], columns[names.index("return")], strict=True)):
        count = counts[step]
        if count is None or value is None or (math.isfinite(value) and abs(value) > _LARGEST_RETURN):
            refused.append((i + 1, _problem(step, count, cells[places["return"]][i])))
        else:
            by_step.setdefault(count, []).append(i)
    found = [
        Evaluation(step, len(episodes), {name: _mean(column, episodes) for name, column in zip(names, columns, strict=True)})
        for step, episodes in sorted(by_step.items())
    ]
    return found, _describe(folder, refused)


def _numbers(cells: Sequence[str]) -> Sequence[float | None]:
    """The number in each cell of a column, see `to_number`: all at once where each holds one, which is nearly always."""
    if "_" not in "".join(cells) and max(map(len, cells), default=0) <= MAX_NUMBER_LENGTH:
        with suppress(ValueError):
            return list(map(float, cells))
    return list(map(to_number, cells))


def _problem(step: str, count: int | None, value: str) -> str:
    """What is wrong with a row, in a few words."""
    if count is None:
        return f"step is no count, but {printable(repr(step), 40)}"
    return f"return is no number that a return can be, but {printable(repr(value), 40)}"


def _describe(folder: RunFolder, refused: Sequence[tuple[int, str]]) -> list[str]:
    if not refused:
        return []
    (row, problem), others = refused[0], len(refused) - 1
    more = f", and {others} more rows like it" if others else ""
    return [str(Unreadable(folder.evaluations_file, f"row {row} is left out: {problem}{more}"))]


def _mean(column: Sequence[float | None], episodes: Sequence[int]) -> float | None:
    """The mean over those episodes that have a value."""
    known = [value for i in episodes if (value := column[i]) is not None]
    return sum(known) / len(known) if known else None
