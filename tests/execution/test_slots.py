"""Each worker's place among those that train at a time, by which runs share out GPUs."""

from __future__ import annotations

from support.specs import make_spec

from harness.execution.executor import ExecutionOptions
from harness.execution.local import LocalExecutor
from harness.runs.folder import RunFolder

TRAIN = """
import os, time
from pathlib import Path
from harness.runs.folder import RunFolder


def train(spec, results, **options):
    folder = RunFolder.of(spec, results).path
    folder.mkdir(parents=True)
    (folder / "slot").write_text(os.environ["HARNESS_WORKER_SLOT"])
    if spec.seed < 2:  # the first two go at a time
        other = RunFolder.of(spec.model_copy(update={"seed": 1 - spec.seed}), results).path
        while not (other / "slot").exists():
            time.sleep(0.01)
"""


def test_runs_at_a_time_have_places_of_their_own_and_leave_them_to_the_next(tmp_path, monkeypatch):
    (tmp_path / "slots.py").write_text(TRAIN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    specs = [make_spec(seed=seed) for seed in range(4)]
    LocalExecutor("slots:train").execute(specs, ExecutionOptions(tmp_path, workers=2), lambda event: None)
    slots = [int((RunFolder.of(spec, tmp_path).path / "slot").read_text()) for spec in specs]
    assert sorted(slots[:2]) == [0, 1]
    assert set(slots[2:]) <= {0, 1}
