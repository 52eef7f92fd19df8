"""What tasks measure beside the return, over training."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from harness.analysis.curves import align_curves, curve
from harness.analysis.suite_scores import SuiteScores

_NO_MEASUREMENTS = frozenset({"folder", "step", "episodes", "return", "cut"})


def measurement_rows(data: SuiteScores) -> Iterator[tuple[object, ...]]:
    """The mean over seeds of every measurement at every evaluation, of runs that are finished or not, with its band."""
    names = [name for name in data.evaluations.columns if name not in _NO_MEASUREMENTS]
    if not names:
        return
    folders = data.runs.drop_nulls("folder").select("folder", "label", "task", "seed")
    joined = data.evaluations.join(folders, on="folder", suffix=" of run")
    for (task, label), part in sorted(joined.group_by("task", "label"), key=lambda one: (one[0][0], str(one[0][1]))):
        runs = [group.sort("step") for _, group in sorted(part.group_by("seed", "folder"), key=lambda one: str(one[0]))]
        for name in names:
            measured = [group.filter(pl.col(name).is_finite()).select("step", name) for group in runs]
            curves = [(one["step"].cast(pl.Float64).to_numpy(), one[name].to_numpy()) for one in measured if len(one)]
            if not curves:
                continue
            grid, values, _ = align_curves(curves)
            random = data.random("measurements", str(label), str(task), name)
            band = curve([values], random, iqm=False, intervals=data.intervals)
            counts = (values == values).sum(axis=0).tolist()  # noqa: PLR0124  a number that differs from itself is none
            for step, value, low, high, count in zip(grid.tolist(), *band, counts, strict=True):
                if count:
                    yield data.suite, task, label, name, int(step), value, low, high, count, len(curves)
