"""Faults a and b: who lives is known of processes, not of clocks and host names."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
from support.claims import Clock, elsewhere, look_for, touch, write_claim

from harness.runs.claim_watch import ClaimWatch
from harness.runs.lock import AlreadyClaimed, Claim, Owner

fork = multiprocessing.get_context("fork")


def hold(path: Path, ready) -> None:
    Claim(path).acquire()
    ready.set()
    time.sleep(60)


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    return tmp_path / "claim"


def test_fault_a_a_zombie_is_dead(claim: Path) -> None:
    ready = fork.Event()
    process = fork.Process(target=hold, args=(claim, ready))
    process.start()
    assert ready.wait(30)
    os.kill(process.pid, signal.SIGKILL)  # and nobody asks how it ended
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not Claim(claim).held
    mine = Claim(claim)
    mine.acquire()
    mine.release()
    process.join()


def test_fault_a_a_zombie_with_a_claim_of_the_old_format_is_dead(claim: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    started = psutil.Process(process.pid).create_time()
    claim.write_text(json.dumps({"host": socket.gethostname(), "pid": process.pid, "started": started, "token": "0a"}))
    assert not Claim(claim).held
    Claim(claim).acquire()
    process.wait()


def test_fault_b_a_clock_that_is_set_makes_nobody_another_process(claim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Claim(claim)
    mine.acquire()
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)  # which times of creation are counted from
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 1.0)
    assert Claim(claim).held
    with pytest.raises(AlreadyClaimed):
        Claim(claim).acquire()
    mine.release()


def test_fault_b_a_process_of_the_same_number_is_another_one(claim: Path) -> None:
    owner = Owner.this_process()
    write_claim(claim, replace(owner, ticks=owner.ticks - 200))
    assert not Claim(claim).held
    Claim(claim).acquire()


@pytest.mark.parametrize("pid", [0, -1, 2**31, 2**70])
def test_fault_b_numbers_that_are_no_process_are_dead(claim: Path, pid: int) -> None:
    write_claim(claim, replace(Owner.this_process(), pid=pid))
    Claim(claim).acquire()


def test_fault_b_the_same_host_name_in_another_pid_namespace_proves_nothing(claim: Path) -> None:
    write_claim(claim, replace(elsewhere(), pid=2**22 - 1))  # no such process here
    assert Claim(claim).held
    with pytest.raises(AlreadyClaimed, match=f"process {2**22 - 1} on {socket.gethostname()}"):
        Claim(claim).acquire()


@pytest.mark.parametrize("owner", [elsewhere(), Owner("node7", 1, 0.0, "00ff"), Owner("node7", 1, 0.0, "00ff", boot="b")])
@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_fault_b_a_clock_an_hour_away_steals_no_live_claim(claim: Path, owner: Owner, ahead: float) -> None:
    clock = Clock()
    write_claim(claim, owner, -ahead)
    watch = ClaimWatch(Claim(claim), clock)
    for beat in range(20):  # a living owner, by its own clock, for much longer than the limit
        assert not look_for(watch.is_free, clock, 30)
        touch(claim, -ahead - 30 * beat)
    with pytest.raises(AlreadyClaimed):
        Claim(claim).acquire()


@pytest.mark.parametrize("ahead", [3600.0, -3600.0, 0.0])
def test_fault_b_who_does_not_touch_a_claim_for_the_limit_by_the_watchers_time_is_dead(claim: Path, ahead: float) -> None:
    clock = Clock()
    write_claim(claim, elsewhere(), -ahead)
    watch = ClaimWatch(Claim(claim), clock)
    assert not look_for(watch.is_free, clock, 120)
    assert look_for(watch.is_free, clock, 5)
    mine = Claim(claim)
    mine.acquire()
    mine.release()


def test_fault_b_a_watcher_that_stood_still_itself_has_seen_nothing(claim: Path) -> None:
    clock = Clock()
    write_claim(claim, elsewhere())
    watch = ClaimWatch(Claim(claim), clock)
    assert not look_for(watch.is_free, clock, 10_000, every=1000.0)


def test_fault_b_a_touch_at_the_last_moment_keeps_the_claim(claim: Path) -> None:
    write_claim(claim, elsewhere(), age=1000.0)
    seen = claim.stat().st_mtime_ns
    touch(claim)
    assert not Claim(claim).free(elsewhere(), seen)
    assert claim.exists()


def test_fault_b_a_watch_ends_when_the_owner_does(claim: Path) -> None:
    ready = fork.Event()
    process = fork.Process(target=hold, args=(claim, ready))
    process.start()
    assert ready.wait(30)
    watch = ClaimWatch(Claim(claim))
    assert not watch.is_free()
    assert watch.owner is not None
    assert watch.owner.pid == process.pid
    process.kill()
    process.join()
    assert watch.is_free()


def test_a_claim_of_the_old_format_is_still_understood(claim: Path) -> None:
    me = asdict(Owner.this_process())
    claim.write_text(json.dumps({name: me[name] for name in ("host", "pid", "started", "token")}))
    assert Claim(claim).held
    with pytest.raises(AlreadyClaimed):
        Claim(claim).acquire()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs namespaces, which root may make")
def test_fault_b_two_pid_namespaces_keep_off_each_others_claims(claim: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from harness.runs.lock import Claim;"
        " Claim(Path(sys.argv[1])).acquire(); print('ready', flush=True); time.sleep(60)"
    )
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-c", code, str(claim)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        owner = json.loads(claim.read_text())
        assert owner["host"] == socket.gethostname()
        assert owner["pid"] < 10
        assert Claim(claim).held
        with pytest.raises(AlreadyClaimed):
            Claim(claim).acquire()
        process.kill()
