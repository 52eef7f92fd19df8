"""A run: its files, the same numbers twice, and the same numbers after any interruption."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.specs import make_spec

from harness.errors import ResultsError, RunError, UserError
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.lock import AlreadyClaimed
from harness.runs.progress import RunProgress
from harness.spec import RunSpec
from harness.training import run as run_module
from harness.training.run import train

SMALL_RND = {
    "warm_up_steps": 3,
    "feature_dim": 16,
    "hidden": [16],
    "epochs": 2,
    "minibatches": 2,
    "minibatch_order": "shuffled",
    "keep": 0.5,
}
SHORT: dict[str, Any] = {"steps": 800, "evaluate_every": 400, "checkpoint_every": 160}
CASES = {
    "none": make_spec(**SHORT),
    "sum": make_spec(**SHORT, reward="rnd", config=SMALL_RND, combine={"mode": "sum"}),
    "two_critics": make_spec(**SHORT, reward="rnd", config=SMALL_RND),
    "stochastic": make_spec(**SHORT, environment={"size": 6, "deterministic": False}, reward="rnd", config=SMALL_RND),
    "atari": make_spec(
        family="atari",
        environment={"game": "montezuma_revenge", "episode_steps": 15, "size": 42},
        algorithm={"n_envs": 2, "n_steps": 8, "batch_size": 16, "n_epochs": 1},
        reward="rnd",
        config=SMALL_RND,
        steps=96,
        evaluate_every=48,
        checkpoint_every=32,
    ),
}


class Interrupted(Exception):
    """Stands for a kill."""


def interrupted_at(steps: list[int]):
    """A progress callback that raises at each of these steps, once."""
    left = list(steps)

    def report(progress: RunProgress) -> None:
        if left and progress.step >= left[0]:
            del left[0]
            raise Interrupted

    return report


def attempts_at(spec: RunSpec, results: Path, report) -> int:
    """Train until the run is finished, again after each interruption; how often that was begun."""
    attempts = 0
    while attempts == 0 or RunFolder.of(spec, results).read().status.state != "finished":
        attempts += 1
        with suppress(Interrupted):
            train(spec, results, report=report)
    return attempts


def content(results: Path, spec: RunSpec) -> dict[str, object]:
    """Everything that two runs of one spec must share."""
    folder = RunFolder.of(spec, results)
    tables = {}
    for file in (folder.progress_file, folder.evaluations_file):
        header, rows = read_csv_rows(file)
        assert rows, file
        tables[file.name] = (
            header,
            [{k: v for k, v in row.items() if k not in ("time/time_elapsed", "time/fps")} for row in rows],
        )
    (checkpoint,) = folder.checkpoint.glob("step-*")
    state = json.loads((checkpoint / "state.json").read_text())
    del state["state"]["seconds"]
    return {**tables, "state": state, "tensors": (checkpoint / "tensors.safetensors").read_bytes()}


@pytest.fixture(autouse=True)
def _report_every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "REPORT_SECONDS", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, object]]:
    """What an undisturbed run of a case leaves, trained once for all tests."""

    @cache
    def trained(case: str) -> dict[str, object]:
        results = tmp_path_factory.mktemp("whole")
        train(CASES[case], results)
        return content(results, CASES[case])

    return trained


SHARES = (0.1, 0.3, 0.32, 0.7, 0.9)
"""Where runs are interrupted, as shares of their steps."""
SELDOM = {"atari": (0.3, 0.7)}
"""The same for what takes long to begin again."""


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.slow if case in SELDOM else ()) for case in CASES])
def test_the_same_spec_gives_the_same_numbers_twice_and_another_seed_does_not(
    tmp_path: Path, whole: Callable[[str], dict[str, object]], case: str
) -> None:
    spec = CASES[case]
    other = spec.model_copy(update={"seed": 1})
    for one in (spec, other):
        train(one, tmp_path)
    assert whole(case) == content(tmp_path, spec)
    assert whole(case) != content(tmp_path, other)


@pytest.mark.parametrize("case", CASES)
def test_an_interrupted_run_ends_like_an_unbroken_one(
    tmp_path: Path, whole: Callable[[str], dict[str, object]], case: str
) -> None:
    spec, shares = CASES[case], SELDOM.get(case, SHARES)
    report = interrupted_at([int(spec.steps * share) for share in shares])
    assert attempts_at(spec, tmp_path, report) == len(shares) + 1
    assert whole(case) == content(tmp_path, spec)


def test_a_finished_run_is_left_alone_unless_fresh(tmp_path: Path) -> None:
    spec = CASES["none"]
    status = train(spec, tmp_path)
    folder = RunFolder.of(spec, tmp_path)
    before = {file: file.read_bytes() for file in folder.path.rglob("*") if file.is_file()}
    assert train(spec, tmp_path) == status
    assert before == {file: file.read_bytes() for file in folder.path.rglob("*") if file.is_file()}
    assert train(spec, tmp_path, fresh=True).started >= status.started
    assert folder.read().status.attempts == 1


def test_record_and_files_of_a_run(tmp_path: Path) -> None:
    spec = CASES["two_critics"]
    status = train(spec, tmp_path)
    folder = RunFolder.of(spec, tmp_path)
    record = folder.read()
    assert record.spec == spec
    assert (status.state, status.step, status.attempts) == ("finished", 800, 1)
    assert [entry.state for entry in status.history] == ["running", "finished"]
    assert record.provenance["packages"]["torch"]
    header, rows = read_csv_rows(folder.progress_file)
    assert len(rows) == 10  # 800 steps, 80 per rollout
    for column in ("rollout/ep_rew_mean", "intrinsic/bonus_mean", "intrinsic/bonus_std", "train/intrinsic_value_loss"):
        assert column in header
        assert rows[-1][column] != ""
    _, episodes = read_csv_rows(folder.evaluations_file)
    assert [int(row["step"]) for row in episodes] == [400] * 3 + [800] * 3
    assert status.score == pytest.approx(sum(float(row["return"]) for row in episodes[-3:]) / 3)
    assert list(folder.path.glob("events.out.*"))
    assert not (folder.path / "claim").exists()


def test_evaluation_leaves_no_trace_on_training(tmp_path: Path) -> None:
    often = CASES["two_critics"]
    seldom = often.model_copy(update={"evaluation": often.evaluation.model_copy(update={"every": 100_000})})
    for spec in (often, seldom):
        train(spec, tmp_path)
    tables = [content(tmp_path, spec)["progress.csv"] for spec in (often, seldom)]
    assert tables[0] == tables[1]


def test_progress_and_score_are_reported(tmp_path: Path) -> None:
    seen: list[RunProgress] = []
    train(CASES["none"], tmp_path, report=seen.append)
    assert [*dict.fromkeys(progress.step for progress in seen)] == [*range(0, 801, 80)]
    assert seen[0].score is None
    assert seen[-1].score is not None


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    spec = CASES["none"]
    with pytest.raises(Interrupted):
        train(spec, tmp_path, report=interrupted_at([450]))
    (checkpoint,) = RunFolder.of(spec, tmp_path).checkpoint.glob("step-*")
    state = json.loads((checkpoint / "state.json").read_text())
    state["state"]["digest"] = "00000000"
    (checkpoint / "state.json").write_text(json.dumps(state))
    with pytest.raises(RunError, match=r"another run's.*--fresh"):
        train(spec, tmp_path)


def test_a_claimed_folder_is_left_to_its_owner(tmp_path: Path) -> None:
    spec = CASES["none"]
    with RunFolder.of(spec, tmp_path).claim(), pytest.raises(AlreadyClaimed, match="in use by process"):
        train(spec, tmp_path)


def test_unknown_and_missing_devices_are_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown device 'gpu'"):
        train(CASES["none"], tmp_path, device="gpu")


def test_a_truncated_record_is_not_overwritten(tmp_path: Path) -> None:
    spec = CASES["none"]
    folder = RunFolder.of(spec, tmp_path)
    folder.path.mkdir(parents=True)
    folder.record_file.write_text('{"format": 1, "sp')
    with pytest.raises(ResultsError, match=r"run\.json: cannot be read"):
        train(spec, tmp_path)
    assert folder.record_file.read_text() == '{"format": 1, "sp'
