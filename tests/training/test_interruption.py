"""Fault t and the cadence by time: a run that is to stop, that saves now and then, and whose files somebody takes away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.specs import make_spec

from harness.errors import RunError
from harness.execution.attempt import attempt
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.kept import kept_step
from harness.runs.progress import RunProgress
from harness.spec import RunSpec
from harness.training import run as run_module
from harness.training.run import train

SMALL_RND = {"warm_up_steps": 3, "feature_dim": 16, "hidden": [16], "epochs": 1, "minibatches": 2}
SPEC = make_spec(reward="rnd", config=SMALL_RND, checkpoint_every=100_000)


@pytest.fixture(autouse=True)
def _report_every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "REPORT_SECONDS", 0.0)


def final(results: Path, spec: RunSpec = SPEC) -> tuple[object, ...]:
    """Everything that two runs of one spec must share."""
    folder = RunFolder.of(spec, results)
    tables = []
    for file in (folder.progress_file, folder.evaluations_file):
        _, rows = read_csv_rows(file)
        tables.append([{k: v for k, v in row.items() if k not in ("time/time_elapsed", "time/fps")} for row in rows])
    (checkpoint,) = folder.checkpoint.glob("step-*")
    return (*tables, checkpoint.name, (checkpoint / "tensors.safetensors").read_bytes())


def stop_at(*steps: int):
    """A request to stop that comes at each of these steps, and what reports them."""
    left, reached = list(steps), [0]

    def report(progress: RunProgress) -> None:
        reached[0] = progress.step

    def stop() -> bool:
        return bool(left) and reached[0] >= left[0] and bool(left.pop(0))

    return {"report": report, "stop": stop}


def test_a_run_that_is_to_stop_saves_where_it_is_and_ends_like_an_unbroken_one(tmp_path: Path):
    train(SPEC, tmp_path / "whole")
    folder = RunFolder.of(SPEC, tmp_path / "broken")
    request = stop_at(80, 400, 1520)
    for step in (80, 400, 1520):
        status = train(SPEC, tmp_path / "broken", **request)
        assert (status.state, status.step) == ("interrupted", step)
        assert kept_step(folder) == step
    assert train(SPEC, tmp_path / "broken", **request).state == "finished"
    assert final(tmp_path / "whole") == final(tmp_path / "broken")
    assert [entry.state for entry in folder.read().status.history] == ["running", "interrupted"] * 3 + ["running", "finished"]


def test_a_run_that_is_to_stop_before_its_first_update_saves_nothing_and_says_so(tmp_path: Path):
    outcome = attempt(SPEC, tmp_path, stop=lambda: True)
    folder = RunFolder.of(SPEC, tmp_path)
    assert outcome.ending == "interrupted"
    assert folder.state() == "interrupted"
    assert kept_step(folder) is None


def test_a_request_in_the_last_update_comes_too_late(tmp_path: Path):
    assert train(SPEC, tmp_path, **stop_at(1600)).state == "finished"


def test_checkpoints_by_time_change_no_number_and_no_identity(tmp_path: Path):
    often = SPEC.model_copy(update={"checkpoint_minutes": 1e-9})
    assert often.digest == SPEC.digest
    assert often.method_digest == SPEC.method_digest
    assert RunSpec.model_validate(often.model_dump(mode="json")) == often
    assert "checkpoint_minutes" not in SPEC.model_dump(mode="json")
    kept: list[int | None] = []
    folder = RunFolder.of(SPEC, tmp_path / "often")
    train(often, tmp_path / "often", report=lambda progress: kept.append(kept_step(folder)))
    assert {*range(80, 1601, 80)} <= set(kept)
    train(SPEC, tmp_path / "never")
    assert final(tmp_path / "often") == final(tmp_path / "never")


TAKEN = {
    "progress.csv": "progress.csv",
    "evaluations.csv": "evaluations.csv",
    "run.json": "run.json",
    "checkpoint": "checkpoint",
    "what is in the checkpoint": "checkpoint/step-*/tensors.safetensors",
    "events": "events.out.*",
    "everything": ".",
}


def take(folder: RunFolder, pattern: str, *, replace: bool) -> None:
    (path,) = [folder.path] if pattern == "." else folder.path.glob(pattern)
    content = path.read_bytes() if path.is_file() else None
    if content is None:
        shutil.rmtree(path)
    else:
        path.unlink()
    if replace and content is not None:
        path.write_bytes(content)
    elif replace:
        path.mkdir()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of TensorBoard's own writer
@pytest.mark.parametrize("replace", [False, True], ids=["deleted", "replaced"])
@pytest.mark.parametrize("at", [240, 320], ids=["midway", "at the end"])
@pytest.mark.parametrize("what", TAKEN)
def test_fault_t_a_run_whose_files_are_taken_away_fails_with_one_sentence(tmp_path: Path, what: str, at: int, replace: bool):
    evaluation = SPEC.evaluation.model_copy(update={"every": 160, "episodes": 1})
    spec = SPEC.model_copy(update={"steps": 320, "checkpoint_every": 160, "evaluation": evaluation})
    folder, taken = RunFolder.of(spec, tmp_path), []

    def report(progress: RunProgress) -> None:
        if progress.step == at and not taken and progress.activity == "rollout":
            taken.append(what)
            take(folder, TAKEN[what], replace=replace)

    outcome = attempt(spec, tmp_path, report=report)
    assert outcome.ending == "failed"
    assert " was deleted " in outcome.error or " was replaced " in outcome.error
    assert outcome.error.endswith("run again with --fresh to start over")
    assert str(folder.path) in outcome.error
    assert folder.state() == "failed"


@pytest.mark.parametrize("name", ["progress.csv", "evaluations.csv"])
def test_fault_t_a_run_does_not_go_on_without_what_its_tables_held(tmp_path: Path, name: str):
    train(SPEC, tmp_path, **stop_at(960))
    (RunFolder.of(SPEC, tmp_path).path / name).unlink()
    with pytest.raises(RunError, match=rf"{name}: what it held up to the checkpoint, at step 960, is gone.*--fresh"):
        train(SPEC, tmp_path)
