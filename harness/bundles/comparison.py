"""A run of a bundle and the same run trained here: the same to the digit, or as near as other seeds explain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from harness.bundles.crosschecks import PackedRun, counted_columns
from harness.runs.evaluations import read_evaluations
from harness.runs.files import read_csv_lines
from harness.runs.folder import RunFolder, RunRecord
from harness.runs.guarded import read_json
from harness.runs.visits import VISITS_FILE

Finding = Literal["same", "explained", "different", "undecided", "failed"]
"""What came of a run: ``same`` to the digit; on another build ``explained`` by seeds, or ``undecided`` where there are too few
of them; ``different``; or it ``failed`` here."""

LEVEL = 0.99
"""The share of honest runs, trained elsewhere, whose difference is explained."""

LEAST_SEEDS = 3
"""The other seeds of a cell that it takes to say how far apart two runs may be."""

_MACHINE = ("harness", "commit", "python", "cpu", "device")


@dataclass(frozen=True)
class Verified:
    """What came of one run.

    Attributes:
        name: The run's path below the folder of results.
        finding: What came of it, in a word.
        builds: What differs between the builds and machines, such as ``torch 2.4 there, 2.5 here``; empty for the same.
        detail: The first difference, or how it was judged, in words.
    """

    name: str
    finding: Finding
    builds: tuple[str, ...]
    detail: str

    @property
    def good(self) -> bool:
        """Whether the numbers are shown to be right."""
        return self.finding in ("same", "explained")


def build_differences(there: RunRecord, here: RunRecord) -> tuple[str, ...]:
    """In what of software and machine two trainings differ: where in nothing, their numbers are the same to the digit.

    Args:
        there: The record in the bundle; each of its attempts counts.
        here: The record of the training here.
    """
    ours = _facts(here.provenance)
    found: dict[str, None] = {}
    for provenance in [there.provenance, *(attempt.provenance for attempt in there.attempts)]:
        theirs = _facts(provenance)
        for key in sorted(ours.keys() | theirs.keys()):
            if theirs.get(key) != ours.get(key):
                found[f"{key} {theirs.get(key, 'unknown')} there, {ours.get(key, 'unknown')} here"] = None
    return tuple(found)


def _facts(provenance: Mapping[str, Any]) -> dict[str, str]:
    facts = {key: str(provenance.get(key)) for key in _MACHINE}
    for group in ("packages", "plugins"):
        versions = provenance.get(group)
        known = cast(dict[str, Any], versions) if isinstance(versions, dict) else {}
        facts |= {str(name): str(version) for name, version in known.items()}
    return facts


def compare(run: PackedRun, trained: RunFolder, others: Sequence[float]) -> Verified:
    """Judge a run by its training here.

    Args:
        run: The run as the bundle has it.
        trained: The folder of the training here, which is finished.
        others: Scores of the bundle's other seeds of the same cell.

    Raises:
        Unreadable: A file of either cannot be read.
    """
    builds = build_differences(run.record, trained.read())
    difference = next(_differences(run.folder, trained), None)
    if difference is None:
        return Verified(run.name, "same", builds, "to the digit" + (", on another build" if builds else ""))
    if not builds:
        return Verified(run.name, "different", builds, difference)
    return _explained(run, trained, others, builds)


def _explained(run: PackedRun, trained: RunFolder, others: Sequence[float], builds: tuple[str, ...]) -> Verified:
    """Two runs of the same settings on different builds are as two seeds: their difference has twice the seeds' variance."""
    theirs, ours = last_score(run.folder), last_score(trained)
    if theirs is None or ours is None:
        finding: Finding = "undecided" if theirs is ours else "different"
        return Verified(run.name, finding, builds, f"score {theirs} there, {ours} here")
    if len(others) < LEAST_SEEDS:
        detail = f"score {theirs:.6g} there, {ours:.6g} here; {len(others)} other seeds are too few to say what seeds explain"
        return Verified(run.name, "undecided", builds, detail)
    allowed = allowed_difference(others)
    detail = f"score {theirs:.6g} there, {ours:.6g} here; {len(others)} other seeds explain a difference of {allowed:.3g}"
    near = abs(theirs - ours) <= allowed + 1e-12 * max(1.0, abs(theirs))
    return Verified(run.name, "explained" if near else "different", builds, detail)


def allowed_difference(others: Sequence[float]) -> float:
    """How far apart two runs of a cell lie in `LEVEL` of all cases, by the scores of its other seeds.

    It is Student's interval for a difference of two new observations whose variance was estimated from these.
    """
    from scipy import stats

    mean = sum(others) / len(others)
    variance = sum((score - mean) ** 2 for score in others) / (len(others) - 1)
    return float(stats.t.ppf((1 + LEVEL) / 2, len(others) - 1)) * math.sqrt(2 * variance)


def last_score(folder: RunFolder) -> float | None:
    """The score of a run's last evaluation; ``None`` where it has none."""
    evaluations, _ = read_evaluations(folder)
    return evaluations[-1].score if evaluations else None


def _differences(there: RunFolder, here: RunFolder) -> Iterator[str]:
    """Every place at which the numbers differ, times aside, in words."""
    yield from _in_table("evaluations.csv", *(read_csv_lines(one.evaluations_file) for one in (there, here)))
    yield from _in_table("progress.csv", *(_without_times(one) for one in (there, here)))
    visits = [read_json(one.path / VISITS_FILE) for one in (there, here)]
    if visits[0] is not None and visits[0] != visits[1]:
        yield f"{VISITS_FILE} tells of other places"


def _without_times(folder: RunFolder) -> tuple[list[str], list[list[str]]]:
    header, rows = read_csv_lines(folder.progress_file)
    kept = counted_columns(header)
    return [header[index] for index in kept], [[row[index] for index in kept] for row in rows]


def _in_table(name: str, there: tuple[list[str], list[list[str]]], here: tuple[list[str], list[list[str]]]) -> Iterator[str]:
    (header, rows), (own_header, own_rows) = there, here
    if header != own_header:
        odd = sorted(set(header) ^ set(own_header))
        yield f"{name} has other columns{f', such as {odd[0][:80]}' if odd else ', in another order'}"
        return
    for line, (theirs, ours) in enumerate(zip(rows, own_rows, strict=False), start=2):
        for column, one, other in zip(header, theirs, ours, strict=True):
            if one != other:
                yield f"{name}, line {line}: {column[:80]} is {one[:40]} there and {other[:40]} here"
    if len(rows) != len(own_rows):
        yield f"{name} has {len(rows)} rows there and {len(own_rows)} here"
