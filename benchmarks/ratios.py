"""Ratios of contestants that take turns, their noise, and which of them moved since a file of them was committed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

FLOOR = 0.03
"""Share of a ratio by which it may move on any machine, however quiet."""


@dataclass(frozen=True)
class Ratio:
    """How many times as fast we are.

    Attributes:
        value: Median over all turns.
        noise: Half of the distance between the quartiles of the turns.
    """

    value: float
    noise: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ± {self.noise:.2f}"

    @classmethod
    def of(cls, theirs: Sequence[float], ours: Sequence[float]) -> Ratio:
        """The ratio of seconds that were measured in turns."""
        turns = sorted(their / our for their, our in zip(theirs, ours, strict=True))
        quarter = len(turns) // 4
        return cls(median(turns), (turns[-1 - quarter] - turns[quarter]) / 2)


def measure(
    contestants: Mapping[str, Callable[[], object]], repetitions: int, clock: Callable[[], float], *, warm_up: int = 1
) -> dict[str, list[float]]:
    """Seconds of every contestant in every turn.

    Args:
        contestants: What is timed, by name.
        repetitions: Turns that count.
        clock: A clock in seconds.
        warm_up: Turns before them that do not.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(-warm_up, repetitions):
        for name, work in contestants.items():
            start = clock()
            work()
            if turn >= 0:
                seconds[name].append(clock() - start)
    return seconds


def save_ratios(path: Path, ratios: Mapping[str, Ratio], threads: int) -> None:
    """Put ratios into a file, beside those that it has of other workloads and numbers of threads."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known.setdefault(str(threads), {}).update({name: asdict(ratio) for name, ratio in ratios.items()})
    path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def load_ratios(path: Path, threads: int) -> dict[str, Ratio]:
    """The ratios that a file has of this number of threads."""
    return {name: Ratio(**entry) for name, entry in json.loads(path.read_text()).get(str(threads), {}).items()}


def describe_moves(before: Mapping[str, Ratio], now: Mapping[str, Ratio]) -> tuple[list[str], list[str]]:
    """Which ratios moved by more than their noise.

    Returns:
        The names of those that became worse, and a line for each ratio that both have.
    """
    worse: list[str] = []
    lines: list[str] = []
    for name in sorted(before.keys() & now.keys()):
        old, new = before[name], now[name]
        margin = 2 * (old.noise**2 + new.noise**2) ** 0.5 + FLOOR * old.value
        moved = "as before" if abs(new.value - old.value) <= margin else "better" if new.value > old.value else "WORSE"
        worse += [name] if moved == "WORSE" else []
        lines.append(f"{name:34} {old} -> {new}  {moved}")
    return worse, lines
