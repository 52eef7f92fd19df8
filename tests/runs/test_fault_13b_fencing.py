"""Fault b: who lost a folder while it stood still changes nothing in it when it wakes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from support.claims import elsewhere, write_claim
from support.fake_training import run_spec

from harness.errors import ResultsError, RunError
from harness.runs.fencing import publishing
from harness.runs.files import write_text_atomic
from harness.runs.folder import HistoryEntry, RunFolder, RunRecord, RunStatus, now
from harness.runs.lock import AlreadyClaimed, Claim, LostClaim
from harness.training.logs import CsvTable

SPEC = run_spec("nothing")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def lose(folder: RunFolder) -> None:
    """Another process takes the folder over."""
    write_claim(folder.path / "claim", elsewhere())


def test_fault_b_nothing_is_replaced_in_a_folder_that_was_lost(folder: RunFolder) -> None:
    file = folder.path / "checkpoint" / "state.json"
    with pytest.raises(LostClaim, match="this run was taken over by process"), folder.claim():
        file.parent.mkdir()
        write_text_atomic(file, "mine")
        lose(folder)
        file.write_text("theirs")
        write_text_atomic(file, "mine again")
    assert file.read_text() == "theirs"
    assert Claim(folder.path / "claim").owner == elsewhere()


def test_fault_b_no_late_row_in_a_table_that_was_open_before(folder: RunFolder) -> None:
    with pytest.raises(LostClaim), folder.claim():
        table = CsvTable(folder.progress_file, ("step",))
        table.append({"step": 1})
        lose(folder)
        try:
            table.append({"step": 2})
        finally:
            table.close()
    assert folder.progress_file.read_text() == "step\n1\n" or folder.progress_file.read_text() == "1\n"


def test_fault_b_whatever_goes_wrong_in_a_lost_folder_is_the_loss(folder: RunFolder) -> None:
    with pytest.raises(LostClaim) as caught, folder.claim():
        lose(folder)
        raise FileNotFoundError("a file that the new owner has replaced")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert isinstance(caught.value, AlreadyClaimed)


def test_fault_b_an_error_in_a_folder_that_is_ours_stays_one(folder: RunFolder) -> None:
    with pytest.raises(ResultsError, match="something else"), folder.claim():
        raise ResultsError("something else")


def leave_record(folder: RunFolder, pid: int) -> None:
    """Leave a record that a process of this host wrote last."""
    entry = HistoryEntry(state="finished", time=now(), step=10, host=socket.gethostname(), pid=pid)
    status = RunStatus(state="finished", step=10, steps=10, started=now(), updated=now(), history=[entry])
    spec = SPEC
    folder.write(RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=status))


def test_fault_b_who_took_over_may_be_done_and_gone(tmp_path: Path) -> None:
    folder = RunFolder.of(SPEC, tmp_path)
    folder.path.mkdir(parents=True)
    leave_record(folder, os.getpid() + 1)
    with pytest.raises(LostClaim, match="by another process, which has left it since"), folder.claim():
        (folder.path / "claim").unlink()
        with publishing(folder.progress_file):
            pytest.fail("it was published")
    assert [file.name for file in folder.path.iterdir()] == ["run.json"]


def test_a_claim_that_somebody_deleted_is_no_takeover(tmp_path: Path) -> None:
    folder = RunFolder.of(SPEC, tmp_path)
    folder.path.mkdir(parents=True)
    leave_record(folder, os.getpid())
    with pytest.raises(RunError, match="claim: was deleted while the run was writing there") as caught, folder.claim():
        (folder.path / "claim").unlink()
        with publishing(folder.progress_file):
            pytest.fail("it was published")
    assert not isinstance(caught.value, AlreadyClaimed)


def test_fault_b_who_was_given_up_learns_of_it_before_anybody_has_taken_over(tmp_path: Path) -> None:
    folder = RunFolder.of(SPEC, tmp_path)
    folder.path.mkdir(parents=True)
    leave_record(folder, os.getpid())
    claim = folder.path / "claim"
    with pytest.raises(LostClaim, match=f"taken over by a process on {socket.gethostname()}"), folder.claim():
        owner = Claim(claim).owner
        assert owner is not None
        assert Claim(claim).free(owner, claim.stat().st_mtime_ns)
        assert folder.holder is None
        with publishing(folder.progress_file):
            pytest.fail("it was published")
    assert claim.exists()
    with folder.claim():
        assert folder.holder is not None


def test_changes_within_changes_and_outside_of_folders_that_are_claimed(folder: RunFolder, tmp_path: Path) -> None:
    with folder.claim(), publishing(folder.path), publishing(folder.record_file):
        write_text_atomic(folder.error_log, "inner")
        write_text_atomic(tmp_path / "elsewhere", "outer")
    write_text_atomic(folder.error_log, "after")
    assert folder.error_log.read_text() == "after"


def test_starting_over_leaves_the_claim(folder: RunFolder) -> None:
    with folder.claim():
        (folder.path / "checkpoint").mkdir()
        (folder.path / "old.csv").write_text("1")
        folder.clear()
        assert {file.name for file in folder.path.iterdir()} == {"claim", "claim.lock"}
        with pytest.raises(AlreadyClaimed), folder.claim():
            pass
