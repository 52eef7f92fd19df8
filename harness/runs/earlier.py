"""Results of before a change of what training means, which lie beside those of a plan and are never mixed with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from harness.errors import ResultsError
from harness.runs.folder import RunFolder
from harness.spec import RunSpec


def earlier_versions(specs: Iterable[RunSpec], results: Path) -> list[RunFolder]:
    """Runs of the same task, method and seed as some of these, of an earlier version of training.

    Args:
        specs: Runs of a plan.
        results: The results directory.
    """
    cells = groupby(sorted(specs, key=_cell), _cell)
    return [folder for (suite, task, method), runs in cells for folder in _earlier(results / suite / task, method, list(runs))]


def _earlier(task: Path, method: str, specs: list[RunSpec]) -> Iterator[RunFolder]:
    version = max(spec.training_version for spec in specs)
    if version == 1:
        return
    for beside in sorted(task.glob(f"{method}-*")):
        for spec in specs:
            folder = RunFolder(beside / f"seed-{spec.seed}")
            try:
                found = folder.read().spec
            except ResultsError:  # nothing there, or nothing that can be read; `status` names the latter
                continue
            if found.method == method and found.training_version < version:
                yield folder


def _cell(spec: RunSpec) -> tuple[str, str, str]:
    return spec.suite, spec.task, spec.method
