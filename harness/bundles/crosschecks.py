"""What of a bundle contradicts itself: a record and its tables, two seeds that are one, a plan and its runs.

Checksums say that a bundle is as it was packed, and not that what was packed is true. Whoever changes a score must change it
in the record and in the evaluations; whoever copies a run under another seed has two logs that are the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from harness.errors import ResultsError
from harness.runs.collection import collect_below
from harness.runs.evaluations import Evaluation, read_evaluations
from harness.runs.files import read_csv_lines
from harness.runs.folder import RECORD_FILE, STUDIES, RunFolder, RunRecord
from harness.runs.guarded import Unreadable, to_count, to_number
from harness.runs.walk import find_files
from harness.spec import TUNING_SEEDS

_COUNTS = ("time/iterations", "time/total_timesteps")
_STEP = "time/total_timesteps"
_LEAST_NUMBERS = 4  # a log of fewer may be the same for two seeds: of a run that learned nothing yet


@dataclass(frozen=True)
class PackedRun:
    """A run of a bundle.

    Attributes:
        folder: The folder with its files.
        record: What its ``run.json`` says.
        name: Its path below the folder of results.
    """

    folder: RunFolder
    record: RunRecord
    name: str


def packed_runs(root: Path) -> tuple[list[PackedRun], list[str]]:
    """Every run at or below a folder, those of studies included, and a line for each whose record cannot be used."""
    found, problems = find_files(root, {RECORD_FILE})
    runs: list[PackedRun] = []
    for file in found:
        folder, name = RunFolder(file.parent), file.parent.relative_to(root).as_posix()
        try:
            runs.append(PackedRun(folder, folder.read(), name))
        except ResultsError as error:
            problems.append(relative(str(error), root))
    return runs, problems


def relative(text: str, root: Path) -> str:
    """A message about files below a folder, without the folder."""
    return text.replace(f"{root}/", "")


def contradictions(root: Path, runs: Sequence[PackedRun]) -> list[str]:
    """A line for each thing that cannot be as it is written."""
    found = [f"{run.name}: {line}" for run in runs for line in _in_run(run)]
    return [relative(line, root) for line in [*found, *_copies(runs), *_missing(root)]]


def _in_run(run: PackedRun) -> Iterator[str]:
    spec, status = run.record.spec, run.record.status
    tuning = f"/{STUDIES}/" in f"/{spec.suite}/"
    if (spec.seed >= TUNING_SEEDS) != tuning:
        yield f"seed {spec.seed} is {'none of' if tuning else 'one of'} tuning's own, and the run is of suite {spec.suite!r}"
    if status.steps != spec.steps:
        yield f"the record is of {status.steps:,} steps, and the settings ask for {spec.steps:,}"
    if status.state != "finished":
        return
    if status.step < spec.steps:
        yield f"is called finished at step {status.step:,} of {spec.steps:,}"
    try:
        yield from _in_log(run)
        if not spec.pretraining:
            evaluations, problems = read_evaluations(run.folder)
            yield from problems
            yield from _in_evaluations(run, evaluations)
    except Unreadable as error:
        yield str(error)


def _in_log(run: PackedRun) -> Iterator[str]:
    header, rows = read_csv_lines(run.folder.progress_file)
    if _STEP not in header or not rows:
        yield "is finished, and progress.csv holds no steps"
        return
    steps = [to_count(row[header.index(_STEP)]) for row in rows]
    known = [step for step in steps if step is not None]
    if len(known) < len(steps) or any(later <= earlier for earlier, later in pairwise(known)):
        yield "the steps in progress.csv do not rise"
    elif known[-1] != run.record.status.step:
        yield f"progress.csv ends at step {known[-1]:,}, and the record says {run.record.status.step:,}"


def _in_evaluations(run: PackedRun, evaluations: Sequence[Evaluation]) -> Iterator[str]:
    spec, status = run.record.spec, run.record.status
    if not evaluations:
        yield "is finished, and evaluations.csv holds no evaluation"
        return
    last = evaluations[-1]
    if last.step != status.step:
        yield f"the last evaluation is at step {last.step:,}, and the record ends at {status.step:,}"
    for one in evaluations:
        if one.episodes != (asked := spec.evaluation.episodes):
            yield f"the evaluation at step {one.step:,} has {one.episodes} episodes, and the settings ask for {asked}"
    if not _same(last.score, status.score):
        yield f"the record says a score of {status.score}, and the last evaluation gives {last.score}"


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _copies(runs: Iterable[PackedRun]) -> Iterator[str]:
    """Runs whose logs hold the same numbers, times aside: no two seeds do, and no two settings."""
    known: dict[str, PackedRun] = {}
    for run in runs:
        try:
            digest = _digest_of_log(run.folder)
        except Unreadable:  # said already
            continue
        if digest is None:
            continue
        first = known.setdefault(digest, run)
        if first is not run:
            yield f"{run.name}: its log holds the numbers of {first.name}, as no two runs do"


def _digest_of_log(folder: RunFolder) -> str | None:
    """A digest of everything in a log but steps and times; ``None`` where that is too little to tell runs apart."""
    header, rows = read_csv_lines(folder.progress_file)
    kept = [index for index, name in enumerate(header) if not name.startswith("time/")]
    cells = [[row[index] for index in kept] for row in rows]
    numbers = {number for row in cells for cell in row if (number := to_number(cell)) is not None}
    fractions = [number for number in numbers if math.isfinite(number) and not number.is_integer()]
    if len(fractions) < _LEAST_NUMBERS:
        return None
    return hashlib.sha256(repr(([header[index] for index in kept], cells)).encode()).hexdigest()


def _missing(root: Path) -> Iterator[str]:
    """Runs that a plan in the bundle asks for and that are not in it."""
    try:
        missing = collect_below([root]).missing
    except ResultsError as error:
        yield str(error)
        return
    for one in missing:
        yield f"{one.planned.spec.path}: a plan asks for it, and it is not in the bundle"


def counted_columns(header: Sequence[str]) -> list[int]:
    """The columns of a log that hold no times, which differ from one training to the next."""
    return [index for index, name in enumerate(header) if not name.startswith("time/") or name in _COUNTS]
