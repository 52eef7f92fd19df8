"""How bonuses went over training: what ``progress.csv`` logs of them, as means over seeds."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from harness.analysis.bootstrap import Array
from harness.analysis.run_files import RecordedRun
from harness.errors import printable
from harness.runs.folder import RunFolder, RunRecord
from harness.runs.guarded import MIB, Unreadable, read_bytes
from harness.runs.results import RunRecords

N_POINTS = 50
"""Equal stretches of training over which what was logged is averaged."""

BONUS_MEAN, BONUS_SPREAD, CLIPPED = "bonus_mean", "bonus_std", "clipped_share"
NORMALISERS = ("return_std", "bonus_running_std", "bonus_running_mean")
"""What bonuses are divided by, under the names of the normalisers of `harness.nn.normalisers`."""

_PREFIX = "intrinsic/"
_STEP = "time/total_timesteps"
_QUANTITIES = (BONUS_MEAN, BONUS_SPREAD, CLIPPED, "intrinsic_weight", *NORMALISERS)
_MAX_BYTES = 128 * MIB
_LARGEST = 1e100
_LONGEST_NAME = 100

Curve = Mapping[str, Array]
"""What a run logged: for each quantity its means over `N_POINTS` stretches, NaN where nothing was logged."""

BonusCurves = Mapping[tuple[str, str], Sequence[tuple[int, Curve]]]
"""The curves of each method and task, with the steps of the runs' whole training, in the order of seeds."""


def read_bonus_curves(runs: Sequence[RecordedRun], records: RunRecords) -> tuple[BonusCurves, list[str]]:
    """Read how bonuses went.

    Args:
        runs: The runs that are looked at; those without a bonus are passed over.
        records: Content of each run's ``run.json``, by folder.

    Returns:
        The curves, and one line for each file that cannot be used.
    """
    found, problems = dict[tuple[str, str], list[tuple[int, Curve]]](), list[str]()
    for run in runs:
        record = records[run.folder.as_posix()]
        if record.spec.reward is None:
            continue
        try:
            logged = _read(RunFolder(run.folder), record)
        except Unreadable as error:
            problems.append(str(error))
            continue
        if logged:
            found.setdefault((run.label, run.task), []).append((record.spec.steps, logged))
    return found, problems


def _read(folder: RunFolder, record: RunRecord) -> Curve:
    data = read_bytes(folder.progress_file, _MAX_BYTES)
    if data is None:
        return {}
    complete = data[: data.rfind(b"\n") + 1]
    if not complete:
        return {}
    header = next(iter(complete.decode(errors="replace").splitlines()), "")
    names = header.split(",")
    wanted = [name for name in names if name.startswith(_PREFIX) and _is_quantity(name.removeprefix(_PREFIX))]
    if _STEP not in names or not wanted or len(set(names)) != len(names):
        return {}
    try:
        table = pl.read_csv(
            io.BytesIO(complete),
            columns=[_STEP, *wanted],
            infer_schema=False,
            truncate_ragged_lines=True,
            encoding="utf8-lossy",
        )
    except (PolarsError, OSError, ValueError) as error:
        raise Unreadable(folder.progress_file, f"cannot be read ({printable(str(error), 100)})") from None
    numbers = table.select(pl.all().cast(pl.Float64, strict=False)).filter(pl.col(_STEP).is_finite())
    steps = numbers[_STEP].to_numpy()
    spec = record.spec
    shares = (steps - spec.first_step) / max(1, spec.steps - spec.first_step)
    inside = (shares > 0) & (shares <= 1)
    points = np.clip(np.ceil(shares[inside] * N_POINTS).astype(np.int64) - 1, 0, N_POINTS - 1)
    values = {printable(name.removeprefix(_PREFIX), _LONGEST_NAME): numbers[name].to_numpy()[inside] for name in wanted}
    curves = {name: _means(points, column) for name, column in values.items()}
    return {name: curve for name, curve in curves.items() if not np.isnan(curve).all()}


def _is_quantity(name: str) -> bool:
    """Whether it tells of bonuses; members of a mixture put their own names before."""
    return name in _QUANTITIES or name.endswith(tuple(f"_{one}" for one in (CLIPPED, *NORMALISERS)))


def _means(points: np.ndarray, values: Array) -> Array:
    known = np.isfinite(values) & (np.abs(np.nan_to_num(values)) < _LARGEST)
    sums = np.bincount(points[known], values[known], N_POINTS)
    counts = np.bincount(points[known], minlength=N_POINTS)
    return np.divide(sums, counts, out=np.full(N_POINTS, np.nan), where=counts > 0)


def bonus_rows(suite: str, found: BonusCurves, labels: Sequence[str], tasks: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """The mean over seeds, the smallest and the largest, of each quantity in each stretch of training."""
    for task in tasks:
        for label in labels:
            runs = found.get((label, task), ())
            steps = max((steps for steps, _ in runs), default=0)
            for name in dict.fromkeys(name for _, logged in runs for name in logged):
                values = np.stack([logged[name] for _, logged in runs if name in logged])
                for point in np.flatnonzero(~np.isnan(values).all(axis=0)).tolist():
                    here = values[:, point][~np.isnan(values[:, point])]
                    step = round(steps * (point + 1) / N_POINTS)
                    yield suite, task, label, name, step, here.mean(), here.min(), here.max(), len(here)
