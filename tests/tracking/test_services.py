"""The trackers that come with the harness, with their own packages: what these keep, and what nobody may read there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.specs import make_spec

from harness.registry import installed
from harness.runs.folder import RunFolder, find_runs
from harness.tracking.identity import read_ids
from harness.tracking.reports import hand_over
from harness.training.run import train

pytestmark = pytest.mark.slow  # what they import takes longest

SPEC = make_spec(steps=160, evaluate_every=80, checkpoint_every=80, algorithm={"n_envs": 4, "n_steps": 10})
SECRET = "0123456789abcdef0123456789abcdef01234567"
WAIT = {"wait_seconds": 900.0}


def train_in_two_attempts(results: Path, trackers: dict[str, dict[str, Any]]) -> list[str]:
    """Train with an interruption and hand over a report; the notices of all that."""
    remarks: list[str | None] = []
    looks = iter([False, False, True])
    listen: dict[str, Any] = {"trackers": trackers, "report": lambda progress: remarks.append(progress.remark)}
    assert train(SPEC, results, stop=lambda: next(looks), **listen).state == "interrupted"
    assert train(SPEC, results, **listen).state == "finished"
    report = results / SPEC.suite / "report"
    report.mkdir()
    (report / "index.html").write_text("the report")
    return [*filter(None, remarks), *hand_over(report, SPEC.suite, results, trackers, installed())]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A results directory, in which no file may hold a secret when the test has ended."""
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "results"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_weights_and_biases_keeps_runs_offline(files: Path) -> None:
    assert train_in_two_attempts(files, {"wandb": {"mode": "offline", **WAIT}}) == []
    folder = RunFolder.of(SPEC, files).path
    name = read_ids(folder, SPEC.digest)["wandb"]
    attempts = sorted(folder.glob(f"wandb/offline-run-*-{name}/run-{name}.wandb"))
    assert len(attempts) == 2
    for file in attempts:
        for text in (b"eval/mean_reward", b"train/loss", SPEC.digest.encode(), SPEC.suite.encode()):
            assert text in file.read_bytes(), text
    (report,) = (files / SPEC.suite / ".trackers").glob("wandb/offline-run-*/run-*.wandb")
    assert b"index.html" in report.read_bytes()
    runs, skipped = find_runs(files)
    assert (len(runs), skipped) == (1, [])


def test_mlflow_keeps_runs_in_a_local_store(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert train_in_two_attempts(files, {"mlflow": WAIT}) == []
    with sqlite3.connect(files / "mlflow.db") as store:
        runs = dict(store.execute("select name, run_uuid from runs").fetchall())
        (name,) = [run for run in runs if run != f"{SPEC.suite} report"]
        run = runs[name]
        assert read_ids(RunFolder.of(SPEC, files).path, SPEC.digest) == {"mlflow": run}
        scores = store.execute("select distinct step from metrics where key = 'eval/mean_reward' and run_uuid = ?", [run])
        assert sorted(step for (step,) in scores) == [80, 160]
        parameters = dict(store.execute("select key, value from params where run_uuid = ?", [run]).fetchall())
        assert parameters.items() >= {"task": SPEC.task, "seed": "0", "environment.config.size": "6"}.items()
        assert dict(store.execute("select key, value from tags where run_uuid = ?", [run]))["digest"] == SPEC.digest
        assert store.execute("select status from runs where run_uuid = ?", [run]).fetchall() == [("FINISHED",)]
    artifacts = files / "mlflow-artifacts"
    assert (artifacts / runs[f"{SPEC.suite} report"] / "artifacts" / "report" / "index.html").read_text() == "the report"
    assert (artifacts / run / "artifacts" / "spec.json").exists()
    found, skipped = find_runs(files)
    assert (len(found), skipped) == (1, [])
