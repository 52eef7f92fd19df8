"""Faults of trackers: whatever one does, the run goes on, with one notice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.trackers import read, registry

from harness.registry import Registry
from harness.tracking import link
from harness.tracking.base import TrackedRun
from harness.tracking.followers import Followers
from harness.tracking.identity import FILE, read_ids, write_ids

TESTS = Path(__file__).parents[1]
EPISODES = [{"return": 1.0, "length": 4.0}, {"return": 2.0, "length": 6.0, "success": 1.0}]


@pytest.fixture(scope="module")
def known() -> Registry:
    return registry()


@pytest.fixture(autouse=True)
def _trackers_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def tracked(folder: Path, **changed: Any) -> TrackedRun:
    return TrackedRun(name="s/t m seed 0", suite="s", digest="d1", kind="report", folder=folder, results=folder, **changed)


def follow(known: Registry, folder: Path, settings: dict[str, Any], tracker: str = "faulty") -> list[str]:
    """Follow a run of three updates with a tracker, and return the notices."""
    notices: list[str] = []
    followers = Followers({tracker: {"wait_seconds": 240.0} | settings}, known, notices.append)
    followers.begin(tracked(folder))
    for step in (8, 16, 24):
        followers.log(step, {"time/iterations": step, "loss": 0.5})
        followers.flush()
    followers.log_evaluation(24, EPISODES)
    sessions = followers.sessions
    followers.end("finished")
    left = [process for process in psutil.process_iter() if session_of(process) in sessions]
    assert not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]
    return notices


def session_of(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


FAULTS = {
    ("raises", "begin"): "LookupError: no such (",
    ("raises", "log"): "LookupError: no such (",
    ("raises", "end"): "LookupError: no such (",
    ("exits", "flush"): "SystemExit: goodbye (",
    ("dies", "log"): "its process ended with exit code 3",
    ("crashes", "begin"): "its process ended with exit code -11",
    ("asks", "begin"): "EOFError: ",
}


@pytest.mark.parametrize(("fault", "at"), FAULTS)
def test_fault_a_tracker_that_fails_is_left_with_one_notice(known: Registry, tmp_path: Path, fault: str, at: str) -> None:
    (notice,) = follow(known, tmp_path, {"fault": fault, "at": at})
    assert notice.startswith("the run goes on without tracker 'faulty': ")
    assert FAULTS[fault, at] in notice
    assert "\n" not in notice


@pytest.mark.parametrize(("fault", "at"), [("hangs", "log"), ("leaves_processes", "begin"), ("closes", "end")])
def test_fault_a_tracker_that_hangs_is_ended_in_time(known: Registry, tmp_path: Path, fault: str, at: str) -> None:
    began = time.monotonic()
    (notice,) = follow(known, tmp_path, {"fault": fault, "at": at, "wait_seconds": 3.0})
    assert time.monotonic() - began < 300
    assert "silent" in notice or "not done 3 seconds after the end" in notice or "its process" in notice


def test_fault_a_tracker_cannot_be_imported_or_is_something_else(known: Registry, tmp_path: Path) -> None:
    assert "ModuleNotFoundError: No module named 'support.no_such_module'" in follow(known, tmp_path, {}, "gone")[0]
    assert "must be a subclass of harness.tracking.base.RunTracker" in follow(known, tmp_path, {}, "other")[0]
    assert "unknown tracker 'nobody'" in follow(known, tmp_path, {}, "nobody")[0]


def test_fault_a_tracker_quotes_secrets(known: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "abcdefgh12345")
    (notice,) = follow(known, tmp_path, {"fault": "quotes"})
    assert "401 at" in notice
    assert "swordfish" not in notice
    assert "abcdefgh12345" not in notice


def test_fault_a_tracker_is_slower_than_the_run(known: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MOST_WAITING", 3)
    monkeypatch.setattr(link, "_MOST_UNDER_WAY", 1)
    (notice,) = follow(known, tmp_path, {"file": str(tmp_path / "diary")}, "diary")
    assert re.fullmatch(r"tracker 'diary' was too slow: \d messages were left out", notice)
    assert read(tmp_path / "diary")[-1] == ["end", "finished"]


def test_fault_the_run_is_killed_and_the_tracker_hears_of_it(tmp_path: Path) -> None:
    program = f"""
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {str(TESTS)!r})
from support.trackers import registry
from harness.tracking.base import TrackedRun
from harness.tracking.followers import Followers
folder = Path({str(tmp_path)!r})
followers = Followers({{"diary": {{"file": str(folder / "diary")}}}}, registry(), print)
followers.begin(TrackedRun(name="n", suite="s", kind="report", folder=folder, results=folder))
while not (folder / "diary").exists():
    time.sleep(0.05)
followers.log(1, {{"loss": 0.5}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program], timeout=300, check=False)
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up and "interrupted" not in (tmp_path / "diary").read_text():
        time.sleep(0.1)
    assert read(tmp_path / "diary")[-1] == ["end", "interrupted"]


def test_a_tracker_is_told_everything_and_its_name_is_kept(known: Registry, tmp_path: Path) -> None:
    settings = {"file": str(tmp_path / "diary"), "wait_seconds": 240.0}
    before = dict(os.environ)
    assert follow(known, tmp_path, settings, "diary") == []
    assert dict(os.environ) == before
    assert read_ids(tmp_path, "d1") == {"diary": "diary-1"}
    begin, *rest = read(tmp_path / "diary")
    assert begin[:4] == ["begin", None, -1, "report"]
    assert rest[0] == ["log", 8, {"loss": 0.5}]
    assert rest[-2] == ["log", 24, {"eval/mean_reward": 1.5, "eval/mean_length": 5.0, "eval/mean_success": 1.0}]
    follow(known, tmp_path, settings, "diary")
    assert [line[1] for line in read(tmp_path / "diary") if line[0] == "begin"] == [None, "diary-1"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", "a b", "x" * 129, ".hidden", 7, None, ["a"], {}])
def test_fault_a_name_on_the_disk_is_no_name(tmp_path: Path, name: Any) -> None:
    (tmp_path / FILE).write_text(json.dumps({"digest": "d1", "ids": {"diary": name, "wandb": "good-1"}}))
    assert read_ids(tmp_path, "d1") == {"wandb": "good-1"}
    assert read_ids(tmp_path, "d2") == {}


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"digest": "d1"}', '{"digest": "d1", "ids": []}', "[" * 9999])
def test_fault_the_file_of_names_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert read_ids(tmp_path, "d1") == {}
    write_ids(tmp_path, "d1", {"diary": "a"})
    assert read_ids(tmp_path, "d1") == {"diary": "a"}


def test_fault_a_tracker_gives_a_path_for_a_name(known: Registry, tmp_path: Path) -> None:
    follow(known, tmp_path, {"file": str(tmp_path / "diary"), "known_as": "../../elsewhere"}, "diary")
    assert not (tmp_path / FILE).exists()
