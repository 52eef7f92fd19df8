"""Fault c: many that want one folder, on disks with and without locks and hard links."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.claims import elsewhere, write_claim

from harness.errors import ResultsError
from harness.runs.claim_file import AlreadyClaimed, read_owner
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable
from harness.runs.lock import Claim, Owner

fork = multiprocessing.get_context("fork")

DISKS = ["local", "no locks", "no links", "neither"]


def be_on(disk: str) -> None:
    """Make this process's disk one that has no locks, no hard links, or neither."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    if disk in ("no locks", "neither"):
        fcntl.flock = refuse
    if disk in ("no links", "neither"):
        os.link = refuse


def loop(folder: Path, disk: str, seconds: float, counts) -> None:
    """Claim the folder again and again; count claims, refusals, errors, and times when somebody else had it too."""
    be_on(disk)
    claims, refused, errors, shared, holders = counts
    deadline, draw = time.monotonic() + seconds, random.Random(os.getpid())
    while time.monotonic() < deadline:
        try:
            with RunFolder(folder).claim():
                with holders.get_lock():
                    holders.value += 1
                    shared.value += holders.value > 1
                time.sleep(draw.random() * 0.002)
                with holders.get_lock():
                    holders.value -= 1
                claims.value += 1
        except AlreadyClaimed:
            refused.value += 1
        except ResultsError:
            errors.value += 1


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("seconds", [1.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_fault_c_four_processes_that_loop_over_claims(tmp_path: Path, disk: str, seconds: float) -> None:
    counts = [fork.Value("i", 0) for _ in range(5)]
    processes = [fork.Process(target=loop, args=(tmp_path / "run", disk, seconds, counts)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(seconds + 60)
        assert process.exitcode == 0
    claims, _, errors, shared, _ = [count.value for count in counts]
    assert (errors, shared) == (0, 0)
    assert claims > 10
    assert list((tmp_path / "run").iterdir()) == []


def take_dead(folder: Path, disk: str, rounds: int, start, counts) -> None:
    """With all others, take over a claim of a dead process, round for round."""
    be_on(disk)
    taken, errors = counts
    for number in range(rounds):
        start.wait()
        claim = Claim(folder / str(number) / "claim")
        try:
            claim.acquire()
            with taken.get_lock():
                taken.value += 1
        except AlreadyClaimed:
            pass
        except OSError:
            errors.value += 1
        start.wait()


@pytest.mark.parametrize("disk", DISKS)
def test_fault_c_one_of_many_takes_over_what_a_dead_process_left(tmp_path: Path, disk: str) -> None:
    rounds = 60
    for number in range(rounds):
        owner = replace(Owner.this_process(), pid=2**22 - 1, token=f"dead{number}")
        write_claim(tmp_path / str(number) / "claim", owner)
    start, counts = fork.Barrier(5), [fork.Value("i", 0), fork.Value("i", 0)]
    processes = [fork.Process(target=take_dead, args=(tmp_path, disk, rounds, start, counts)) for _ in range(5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert [count.value for count in counts] == [rounds, 0]


@pytest.mark.parametrize("disk", DISKS)
def test_fault_c_drafts_belong_to_their_writer(tmp_path: Path, disk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((fcntl, "flock"), (os, "link")):
        monkeypatch.setattr(module, name, getattr(module, name))
    be_on(disk)
    folder = RunFolder(tmp_path / "run")
    dead = replace(Owner.this_process(), pid=2**22 - 1)
    write_claim(folder.path / ".tmp-claim.dead", dead)
    write_claim(folder.path / ".tmp-claim.alive", elsewhere())
    (folder.path / ".tmp-run.json.1.abcd").write_text("half of what a dead owner wrote")
    with folder.claim():
        left = {file.name for file in folder.path.glob(".tmp-*")}
    alone = disk in ("local", "no links")  # nobody else can be claiming under our lock
    assert left == (set() if alone else {".tmp-claim.alive"})


def test_fault_c_what_goes_away_while_it_is_read_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "claim"
    path.touch()

    def read_too_late(read: Path, limit: int) -> object:
        read.unlink()
        raise Unreadable(read, "cannot be read")

    monkeypatch.setattr("harness.runs.claim_file.read_json", read_too_late)
    assert read_owner(path) is None


def test_fault_c_what_goes_away_before_its_rights_are_looked_at_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "claim"
    path.touch()

    def look_too_late(looked_at: Path, mode: int) -> bool:
        looked_at.unlink()
        return False

    monkeypatch.setattr("harness.runs.claim_file.may", look_too_late)
    assert read_owner(path) is None


def test_fault_c_what_is_written_while_it_is_read_names_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, owner = tmp_path / "claim", elsewhere()
    path.touch()

    def read_too_early(read: Path, limit: int) -> object:
        monkeypatch.undo()
        write_claim(read, owner)
        raise Unreadable(read, "cannot be read")

    monkeypatch.setattr("harness.runs.claim_file.read_json", read_too_early)
    assert read_owner(path) == owner


def test_fault_c_what_a_dead_process_left_while_it_took_over_bars_nobody(tmp_path: Path) -> None:
    dead = replace(Owner.this_process(), pid=2**22 - 1, token="dead")
    claim = Claim(tmp_path / "claim")
    write_claim(claim.path, dead)
    claim.acquire()
    claim.release()
    assert list(tmp_path.iterdir()) == []
