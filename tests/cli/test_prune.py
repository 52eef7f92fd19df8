"""``harness prune``: dead runs of abandoned settings are shown, and removed after asking; nothing else ever is."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from report.synthetic import make_spec, write_run

from harness.cli import main
from harness.runs.folder import RunFolder
from harness.runs.lock import Claim
from harness.runs.plans import record_plan

BEFORE = "2026-11-20T08:00:00+00:00"
NOTHING = "nothing to remove: no unfinished run of abandoned settings, and none that was dropped from its suite\n"
Harness = Callable[..., tuple[int, str, str]]


@pytest.fixture
def dead(tmp_path: Path) -> list[RunFolder]:
    """Two dead runs of 5,000 steps; 10,000 are wanted now, of which one run is finished and one failed."""
    results = tmp_path / "results"
    record_plan([make_spec("north", "ppo", seed) for seed in (0, 1)], results)
    write_run(results, "north", "ppo", 0)
    write_run(results, "north", "ppo", 1, state="failed")
    folders = [write_run(results, "north", "ppo", seed, budget=5000, state="failed", updated=BEFORE) for seed in (0, 1)]
    folders[0].checkpoint.mkdir()
    (folders[0].checkpoint / "weights").write_text("w" * 5000)
    return folders


def files(tmp_path: Path) -> set[Path]:
    return set(tmp_path.rglob("*"))


def test_fault_2_without_a_terminal_nothing_is_removed(dead: list[RunFolder], tmp_path: Path, harness: Harness) -> None:
    before = files(tmp_path)
    code, output, errors = harness("prune", tmp_path / "results")
    assert code == 2
    assert all(folder.path.as_posix() in output for folder in dead)
    assert "--yes" in errors
    assert files(tmp_path) == before


def test_with_yes_dead_runs_go_and_everything_else_stays(dead: list[RunFolder], tmp_path: Path, harness: Harness) -> None:
    before = files(tmp_path)
    code, output, _ = harness("prune", tmp_path / "results", "--yes")
    assert code == 0
    assert output.splitlines()[-1] == "removed 2 runs"
    gone = dead[0].path.parent
    assert before - files(tmp_path) == {path for path in before if path.is_relative_to(gone)}
    assert files(tmp_path) < before
    assert harness("prune", tmp_path / "results", "--yes")[1] == NOTHING


def test_a_dry_run_shows_and_removes_nothing(dead: list[RunFolder], tmp_path: Path, harness: Harness) -> None:
    before = files(tmp_path)
    code, output, _ = harness("prune", tmp_path / "results", "--dry-run")
    assert (code, files(tmp_path)) == (0, before)
    assert "2 unfinished runs of abandoned settings" in output
    assert harness("prune", tmp_path / "results", "--dry-run", "--yes")[0] == 2


def test_what_a_process_holds_is_never_removed(dead: list[RunFolder], tmp_path: Path, harness: Harness) -> None:
    claim = Claim(dead[0].path / "claim")
    claim.acquire()
    try:
        code, output, _ = harness("prune", tmp_path / "results", "--yes")
    finally:
        claim.release()
    assert (code, output.splitlines()[-1]) == (0, "removed 1 run")
    assert dead[0].record_file.exists()
    assert not dead[1].path.exists()


def test_what_is_claimed_while_the_question_stands_is_left(dead: list[RunFolder], tmp_path: Path) -> None:
    from harness import experiment

    claim = Claim(dead[0].path / "claim")
    try:
        done = experiment.prune(tmp_path / "results", lambda _: claim.acquire() is None)
    finally:
        claim.release()
    assert [one.run.folder.path for one in done.removed] == [dead[1].path]
    assert done.left == [f"{dead[0].path}: is in use, and is left alone"]
    assert dead[0].record_file.exists()


def test_what_finishes_while_the_question_stands_is_left(dead: list[RunFolder], tmp_path: Path) -> None:
    from harness import experiment

    done = experiment.prune(tmp_path / "results", lambda _: bool(dead[0].set_state("finished")))
    assert [one.run.folder.path for one in done.removed] == [dead[1].path]
    assert "has changed since it was looked at" in done.left[0]


def test_links_are_removed_and_never_followed(dead: list[RunFolder], tmp_path: Path, harness: Harness) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "thesis.tex").write_text("x")
    (dead[0].path / "link").symlink_to(treasure)
    (dead[0].checkpoint / "deep").symlink_to(treasure / "thesis.tex")
    assert harness("prune", tmp_path / "results", "--yes")[1].endswith("removed 2 runs\n")
    assert (treasure / "thesis.tex").read_text() == "x"
    assert not dead[0].path.exists()


def test_a_run_folder_that_is_a_link_is_left(dead: list[RunFolder], tmp_path: Path, harness: Harness) -> None:
    elsewhere = tmp_path / "elsewhere" / "seed-0"
    elsewhere.parent.mkdir()
    dead[0].path.rename(elsewhere)
    dead[0].path.symlink_to(elsewhere)
    harness("prune", tmp_path / "results", "--yes")
    assert (elsewhere / "run.json").exists()


@pytest.mark.parametrize(("answer", "removed"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_it_asks(dead: list[RunFolder], tmp_path: Path, answer: str, removed: bool) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "harness", "prune", str(tmp_path / "results")]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        output = ""
        while "[y/N]" not in output:
            assert select.select([controller], [], [], 60)[0], output
            output += os.read(controller, 4096).decode()
        assert dead[0].record_file.exists()
        os.write(controller, f"{answer}\n".encode())
        try:
            while os.read(controller, 4096):
                pass
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    os.close(controller)
    assert dead[0].path.exists() is not removed


def test_a_folder_that_does_not_exist_is_the_users_error(tmp_path: Path) -> None:
    assert main(["prune", str(tmp_path / "nowhere"), "--yes"]) == 2
