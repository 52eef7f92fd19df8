"""What a suite will take, from speeds that were measured before: nothing is run and torch is not needed.

A speed belongs to a method on a family of environments with all settings of algorithm and bonus; tasks of one family are taken
to be alike, as ``harness run --dry-run`` takes them. Where nobody has measured one, there is no estimate.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ResultsError
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunRecord, find_runs
from harness.runs.guarded import Unreadable, is_folder
from harness.spec import RunSpec

SPEEDS_FILE = "speeds.csv"
"""A table of measured speeds beside suites, with the columns of `SPEED_COLUMNS`."""

SPEED_COLUMNS = ("suite", "profile", "family", "method", "settings", "steps_per_second", "machine", "date")
"""``settings`` is `settings_digest`: a speed is used for exactly these settings, whatever the names of suite and method."""


@dataclass(frozen=True)
class Speed:
    """Steps per second of one run, and where that was measured."""

    steps_per_second: float
    origin: str


@dataclass(frozen=True)
class CostEstimate:
    """What all runs of a suite take.

    Attributes:
        hours: Hours of training, one run after another; ``None`` if some method's speed is unknown.
        origins: Where the speeds were measured.
        unknown: Methods of which no speed is known.
    """

    hours: float | None
    origins: tuple[str, ...]
    unknown: tuple[str, ...]


def settings_digest(spec: RunSpec) -> str:
    """Eight hexadecimal digits that stand for everything that a run's speed is taken to depend on, the machine aside."""
    reward = spec.reward and spec.reward.model_dump(
        mode="json", exclude={"combine": {"normaliser_start"}, "config_by_task": True}
    )
    parts = {"algorithm": spec.algorithm.model_dump(mode="json"), "reward": reward, "family": spec.environment.family}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def estimate_cost(specs: Sequence[RunSpec], speeds: Mapping[str, Speed]) -> CostEstimate:
    """Estimate all runs of a plan.

    Args:
        specs: Specifications of the runs.
        speeds: What was measured, by `settings_digest`.
    """
    known = [(spec, speeds.get(settings_digest(spec))) for spec in specs]
    unknown = tuple(dict.fromkeys(spec.method for spec, speed in known if speed is None))
    origins = tuple(dict.fromkeys(speed.origin for _, speed in known if speed is not None))
    seconds = sum(spec.steps / speed.steps_per_second for spec, speed in known if speed is not None)
    return CostEstimate(None if unknown else seconds / 3600, origins, unknown)


def measured_speeds(results: Path, tables: Iterable[Path]) -> dict[str, Speed]:
    """Every known speed; what ran here counts before what a table says.

    Args:
        results: Run folders, if there are any: finished ones, timed over the whole of their training.
        tables: Files of `SPEED_COLUMNS`, those that exist; a row that cannot be read is refused.

    Raises:
        ResultsError: A table is not one of speeds; the message names file and row.
    """
    speeds: dict[str, Speed] = {}
    for table in tables:
        speeds |= _read_speeds_table(table)
    return speeds | _speeds_of_runs(results)


def _read_speeds_table(table: Path) -> dict[str, Speed]:
    header, rows = read_csv_rows(table)
    if missing := [name for name in SPEED_COLUMNS if header and name not in header]:
        raise ResultsError(f"{table}: is no table of measured speeds: without the columns {', '.join(missing)}")
    speeds: dict[str, Speed] = {}
    for i, row in enumerate(rows, 1):
        try:
            steps_per_second = float(row["steps_per_second"])
        except ValueError:
            steps_per_second = 0.0
        if not 0 < steps_per_second < float("inf"):
            raise ResultsError(f"{table}: row {i}: steps_per_second is no speed: {row['steps_per_second']!r}")
        speeds[row["settings"]] = Speed(steps_per_second, f"{row['machine']}, {row['date']}")
    return speeds


def _records(results: Path) -> Iterator[RunRecord]:
    try:
        folders = find_runs(results)[0] if is_folder(results) else []
    except Unreadable:
        return
    for folder in folders:
        with suppress(Unreadable):  # it was replaced since it was found
            yield folder.read()


def _speeds_of_runs(results: Path) -> dict[str, Speed]:
    """The mean speed of finished runs with the same settings; unreadable folders are none of this module's business."""
    steps: dict[str, list[tuple[int, float]]] = {}
    for record in _records(results):
        status = record.status
        if status.state == "finished" and status.step > 0 and status.seconds > 0:
            steps.setdefault(settings_digest(record.spec), []).append((status.step, status.seconds))
    return {
        digest: Speed(sum(step for step, _ in runs) / sum(seconds for _, seconds in runs), f"finished runs in {results}")
        for digest, runs in steps.items()
    }
