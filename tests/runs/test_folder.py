"""A run's folder: what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.specs import make_spec

from harness.errors import ResultsError
from harness.runs.files import write_json_atomic
from harness.runs.folder import RunFolder, RunRecord, RunStatus, find_runs, now


def record(state: str = "running") -> RunRecord:
    spec = make_spec()
    status = RunStatus(state=state, step=0, steps=spec.steps, started=now(), updated=now())
    return RunRecord(spec=spec, digest=spec.digest, method_digest=spec.method_digest, provenance={}, status=status)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    found = RunFolder.of(make_spec(), tmp_path)
    found.path.mkdir(parents=True)
    found.write(record())
    return found


def test_a_record_comes_back(folder: RunFolder) -> None:
    assert folder.read() == record().model_copy(update={"status": folder.read().status})


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    spec = make_spec(reward="rnd", seed=3)
    assert RunFolder.of(spec, tmp_path).path == tmp_path / "test" / "task" / f"rnd-{spec.digest}" / "seed-3"


def test_changes_are_kept_in_order_and_notes_are_not_changes(folder: RunFolder) -> None:
    folder.update_status(step=10, score=0.5)
    folder.set_state("failed", error="out of memory")
    folder.set_state("running", attempts=2)
    status = folder.read().status
    assert [(entry.state, entry.step, entry.error) for entry in status.history] == [
        ("failed", 10, "out of memory"),
        ("running", 10, None),
    ]
    assert (status.state, status.error, status.score, status.attempts) == ("running", None, 0.5, 2)


def test_running_means_that_the_owner_lives(folder: RunFolder) -> None:
    assert folder.state() == "interrupted"
    with folder.claim():
        assert folder.state() == "running"
    folder.set_state("finished")
    assert folder.state() == "finished"


@pytest.mark.parametrize("content", ["", '{"format": 1, "spec"', "[]", "{}", '{"format": 99}', "\x00\xff"])
def test_foreign_or_truncated_records_are_named(folder: RunFolder, content: str) -> None:
    folder.record_file.write_text(content)
    with pytest.raises(ResultsError, match=r"run\.json"):
        folder.read()


def test_a_search_names_what_it_skips(folder: RunFolder, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign" / "run.json"
    foreign.parent.mkdir()
    foreign.write_text('{"name": "somebody else\'s"}')
    found, skipped = find_runs(tmp_path)
    assert [one.path for one in found] == [folder.path]
    assert len(skipped) == 1
    assert "foreign" in skipped[0]
    with pytest.raises(ResultsError, match="no such results directory"):
        find_runs(tmp_path / "nowhere")


def test_claiming_sweeps_up_what_a_kill_left(folder: RunFolder) -> None:
    (folder.path / ".tmp-run.json.1.abcd").write_text("half")
    with folder.claim():
        assert not list(folder.path.glob(".tmp-*"))


def test_a_results_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file, not a folder")
    with pytest.raises(ResultsError, match="cannot be written"), RunFolder(tmp_path / "results" / "run").claim():
        pass


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json_atomic(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json_atomic(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
