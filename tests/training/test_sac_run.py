"""SAC in a run: the same numbers twice, and the same numbers after any interruption, replay buffer included."""

from __future__ import annotations

import random
from pathlib import Path

import kill_and_resume
import pytest
from support.off_policy import CASES, make_spec, train
from training.test_run import Interrupted, content, interrupted_at

from harness.errors import RunError
from harness.runs import files, segments
from harness.runs.folder import RunFolder
from harness.spec import RunSpec
from harness.training import checkpoints, run

pytestmark = pytest.mark.usefixtures("_every_iteration")


@pytest.fixture
def _every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 400)  # several files for each checkpoint


class Killer:
    """Raises instead of the n-th operation on files."""

    def __init__(self, patch: pytest.MonkeyPatch, count: int) -> None:
        self.left = count
        for owner, name in (
            (checkpoints.shutil, "rmtree"),
            (files.os, "fsync"),
            (Path, "rename"),
            (Path, "replace"),
            (Path, "unlink"),
            (Path, "mkdir"),
        ):
            patch.setattr(owner, name, self._guarded(getattr(owner, name)))

    def _guarded(self, operation):
        def call(*args, **kwargs):
            self.left -= 1
            if self.left == 0:
                raise Interrupted
            return operation(*args, **kwargs)

        return call


def replay_files(spec: RunSpec, results: Path) -> list[Path]:
    return sorted(RunFolder.of(spec, results).replay.glob("*"))


@pytest.mark.parametrize("case", CASES)
def test_interrupted_and_resumed_equals_unbroken(tmp_path: Path, case: str) -> None:
    spec = CASES[case]
    train(spec, tmp_path / "whole")
    report = interrupted_at([20, 60, 100])
    attempts = 1
    while True:
        try:
            train(spec, tmp_path / "broken", report=report)
        except Interrupted:
            attempts += 1
        else:
            break
    assert attempts == 4
    assert content(tmp_path / "broken", spec) == content(tmp_path / "whole", spec)


def test_another_seed_gives_other_numbers(tmp_path: Path) -> None:
    other = CASES["rnd"].model_copy(update={"seed": 1})
    train(CASES["rnd"], tmp_path)
    train(other, tmp_path)
    assert content(tmp_path, CASES["rnd"]) != content(tmp_path, other)


@pytest.mark.slow  # without a replay buffer it is tried every day in ``test_replay.py``
def test_a_kill_at_any_operation_on_files_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(reward="rnd", config=CASES["rnd"].reward.config, steps=160, checkpoint_every=40)  # type: ignore[union-attr]
    train(spec, tmp_path / "whole")
    rng, kills, done = random.Random(0), 0, False
    while not done:
        with monkeypatch.context() as patch:
            killer = Killer(patch, rng.randint(10, 60))
            try:
                train(spec, tmp_path / "broken")
                done = True
            except Interrupted:
                kills += 1
            assert kills < 200
            assert done or killer.left <= 0
    assert kills > 4
    assert content(tmp_path / "broken", spec) == content(tmp_path / "whole", spec)


@pytest.mark.slow
def test_a_real_kill_loses_nothing(tmp_path: Path) -> None:
    spec = make_spec(steps=400, checkpoint_every=20, evaluate_every=200)
    equal, line = kill_and_resume.check(spec, tmp_path, kills=2, rng=random.Random(3), train=train)
    assert equal, line
    assert "killed 0 times" not in line


def test_a_checkpoint_adds_what_is_new_and_drops_what_is_overwritten(tmp_path: Path) -> None:
    spec, seen = make_spec(checkpoint_every=20, evaluate_every=240), []

    def report(progress) -> None:
        record = RunFolder.of(spec, tmp_path).read()
        found = replay_files(spec, tmp_path)
        assert record.status.replay_bytes == sum(file.stat().st_size for file in found)
        seen.append((progress.step, set(found)))

    train(spec, tmp_path, report=report)
    at = dict(seen)
    assert set() < at[40] < at[80]  # nothing is dropped before the buffer is full
    assert at[120]
    assert not at[40] & at[140]  # 50 vector steps fit, so the first 20 are gone
    assert replay_files(spec, tmp_path) == []
    assert RunFolder.of(spec, tmp_path).read().status.replay_bytes == 0


def test_a_damaged_replay_is_told(tmp_path: Path) -> None:
    spec = make_spec()
    with pytest.raises(Interrupted):
        train(spec, tmp_path, report=interrupted_at([100]))
    file = replay_files(spec, tmp_path)[1]
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(RunError, match=f"{file.name}: this part of the replay buffer is damaged .*--fresh"):
        train(spec, tmp_path)
    file.unlink()
    with pytest.raises(RunError, match=f"{file.name}: .*it is missing"):
        train(spec, tmp_path)
    train(spec, tmp_path, fresh=True)
