"""Runs that are followed: the same numbers, whatever the trackers do, and one tracker's run over all attempts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.specs import make_spec
from support.trackers import read, registry
from training.test_run import content

from harness.registry import Registry
from harness.runs.folder import RunFolder
from harness.runs.progress import RunProgress
from harness.training import run as run_module
from harness.training import tensorboard
from harness.training.run import train

TESTS = Path(__file__).parents[1]
SPEC = make_spec(steps=160, evaluate_every=80, checkpoint_every=80, algorithm={"n_envs": 4, "n_steps": 10})


@pytest.fixture(scope="module")
def known() -> Registry:
    return registry()


@pytest.fixture(autouse=True)
def _trackers_of_tests(monkeypatch: pytest.MonkeyPatch, known: Registry) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(run_module, "installed", lambda: known)


def test_numbers_are_the_same_whatever_trackers_do_and_each_failure_is_told_once(tmp_path: Path) -> None:
    remarks: list[str] = []

    def report(progress: RunProgress) -> None:
        if progress.remark:
            remarks.append(progress.remark)

    trackers: dict[str, dict[str, Any]] = {
        "diary": {"file": str(tmp_path / "diary"), "wait_seconds": 240.0},
        "faulty": {"fault": "raises", "at": "log", "wait_seconds": 240.0},
        "gone": {"wait_seconds": 240.0},
    }
    assert train(SPEC, tmp_path / "plain").state == "finished"
    assert train(SPEC, tmp_path / "followed", trackers=trackers, report=report).state == "finished"
    assert content(tmp_path / "plain", SPEC) == content(tmp_path / "followed", SPEC)
    assert sorted(remark.split("'")[1] for remark in remarks) == ["faulty", "gone"]
    begin, *rest = read(tmp_path / "diary")
    assert begin[1:4] == [None, -1, "run"]
    assert begin[5] == SPEC.digest
    assert {"environment", "algorithm", "seed"} <= set(begin[6])
    assert {"packages", "command"} <= set(begin[7])
    logged = [line for line in rest if line[0] == "log"]
    assert [line[1] for line in logged] == [40, 80, 80, 120, 160, 160]
    assert "eval/mean_reward" in logged[2][2]
    assert "time/fps" in logged[0][2]
    assert rest[-1] == ["end", "finished"]


def test_a_run_that_goes_on_goes_on_in_the_same_run_of_the_tracker(tmp_path: Path) -> None:
    trackers = {"diary": {"file": str(tmp_path / "diary"), "wait_seconds": 240.0}}
    looks = iter([False, False, True])
    assert train(SPEC, tmp_path / "results", trackers=trackers, stop=lambda: next(looks)).state == "interrupted"
    assert train(SPEC, tmp_path / "results", trackers=trackers).state == "finished"
    lines = read(tmp_path / "diary")
    assert [line[1:3] for line in lines if line[0] == "begin"] == [[None, -1], ["diary-1", 80]]
    assert [line[1] for line in lines if line[0] == "end"] == ["interrupted", "finished"]
    assert train(SPEC, tmp_path / "results", trackers=trackers, fresh=True).state == "finished"
    assert [line[1] for line in read(tmp_path / "diary") if line[0] == "begin"][2] is None


def test_a_run_goes_on_without_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(tensorboard.TensorBoardTracker, "log", fail)
    remarks: list[str | None] = []
    assert train(SPEC, tmp_path, report=lambda progress: remarks.append(progress.remark)).state == "finished"
    assert [remark for remark in remarks if remark] == [
        "the run goes on without tracker 'tensorboard': OSError: No space left on device"
    ]
    assert list(RunFolder.of(SPEC, tmp_path).path.glob("events.out.*"))
