"""One owner at a time, whatever dies when."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.runs.lock import AlreadyClaimed, Claim, Owner

spawn = multiprocessing.get_context("fork")


def hold(path: Path, ready) -> None:
    Claim(path).acquire()
    ready.set()
    time.sleep(60)


def contend(path: Path, start, overlap, count) -> None:
    """Take the claim again and again; note whether anybody else ever had it at the same time."""
    start.wait()
    for _ in range(20):
        claim = Claim(path)
        try:
            claim.acquire()
        except AlreadyClaimed:
            continue
        with count.get_lock():
            count.value += 1
            if count.value > 1:
                overlap.value = 1
        time.sleep(0.001)
        with count.get_lock():
            count.value -= 1
        claim.release()


def write(path: Path, owner: Owner, age: float = 0.0) -> None:
    path.write_text(json.dumps(asdict(owner)))
    then = time.time() - age
    os.utime(path, (then, then))


def test_a_second_claim_is_refused_and_names_the_owner(tmp_path: Path) -> None:
    first = Claim(tmp_path / "claim")
    first.acquire()
    with pytest.raises(AlreadyClaimed, match=f"process {os.getpid()} on {socket.gethostname()}"):
        Claim(tmp_path / "claim").acquire()
    first.release()
    assert list(tmp_path.iterdir()) == []
    second = Claim(tmp_path / "claim")
    second.acquire()
    second.release()


def test_the_claim_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    ready = spawn.Event()
    process = spawn.Process(target=hold, args=(tmp_path / "claim", ready))
    process.start()
    assert ready.wait(30)
    assert Claim(tmp_path / "claim").held
    with pytest.raises(AlreadyClaimed):
        Claim(tmp_path / "claim").acquire()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not Claim(tmp_path / "claim").held
    claim = Claim(tmp_path / "claim")
    claim.acquire()
    claim.release()


def test_a_reused_process_number_does_not_keep_a_claim_alive(tmp_path: Path) -> None:
    owner = Owner.this_process()
    write(tmp_path / "claim", Owner(owner.host, owner.pid, owner.started - 1000, "old"))
    assert not Claim(tmp_path / "claim").held
    Claim(tmp_path / "claim").acquire()


@pytest.mark.parametrize("age", [1.0, 1000.0, -3600.0])
def test_a_look_at_a_claim_of_another_machine_takes_nothing(tmp_path: Path, age: float) -> None:
    write(tmp_path / "claim", Owner("another-machine", 1, 0.0, "theirs"), age)
    assert Claim(tmp_path / "claim").held is (age < 1000.0)  # to be shown, no more
    with pytest.raises(AlreadyClaimed, match="another-machine"):
        Claim(tmp_path / "claim").acquire()


def test_a_foreign_file_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "claim").write_text("{not json")
    assert not Claim(tmp_path / "claim").held
    Claim(tmp_path / "claim").acquire()


def test_releasing_leaves_a_successors_claim_alone(tmp_path: Path) -> None:
    mine = Claim(tmp_path / "claim")
    mine.acquire()
    write(tmp_path / "claim", Owner("another-machine", 1, 0.0, "theirs"))
    mine.release()
    assert json.loads((tmp_path / "claim").read_text())["token"] == "theirs"


def test_contenders_for_a_stale_claim_never_overlap(tmp_path: Path) -> None:
    write(tmp_path / "claim", Owner(socket.gethostname(), 2**22 - 1, 0.0, "dead"))
    start, overlap, count = spawn.Event(), spawn.Value("i", 0), spawn.Value("i", 0)
    processes = [spawn.Process(target=contend, args=(tmp_path / "claim", start, overlap, count)) for _ in range(6)]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert overlap.value == 0
    assert list(tmp_path.iterdir()) == []
