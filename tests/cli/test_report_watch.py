"""``harness report --watch``: a line for each report, made as runs change, until all of them are done."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from report.synthetic import write_run, write_suite

COMMAND = [sys.executable, "-m", "harness", "report", "--format", "csv", "--watch"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_suite(tmp_path / "results", {"ppo": 1.0, "rnd": 5.0}, tasks=("north",), seeds=3)


def test_it_ends_when_everything_is_done(results: Path) -> None:
    done = subprocess.run([*COMMAND, str(results)], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d report: .*scores\.csv \(6 of 6 runs finished\)", line)
    assert (results / "report" / "scores.csv").exists()


@pytest.mark.slow
def test_the_report_is_made_again_when_a_run_has_ended_and_lines_are_plain(results: Path) -> None:
    write_run(results, "north", "ppo", 2, state="running")
    with subprocess.Popen([*COMMAND, str(results)], stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        first = watching.stdout.readline()
        assert first.endswith("(5 of 6 runs finished, 1 interrupted)\n")
        write_run(results, "north", "ppo", 2, 8.5)
        lines = watching.stdout.readlines()
        assert [line.partition("(")[2] for line in lines] == ["6 of 6 runs finished)\n"]
        assert "\x1b" not in "".join([first, *lines])
    assert watching.returncode == 0
    assert "8.5" in (results / "report" / "scores.csv").read_text()


@pytest.mark.slow
def test_ctrl_c_ends_it(results: Path) -> None:
    write_run(results, "north", "ppo", 2, state="interrupted")
    with subprocess.Popen([*COMMAND, str(results)], stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 0


@pytest.mark.slow
def test_it_waits_for_the_first_run_and_refuses_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with subprocess.Popen([*COMMAND, str(tmp_path / "results")], stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        assert watching.stdout.readline().endswith("waiting: nothing to report on yet\n")
        write_run(tmp_path / "results", "north", "ppo", 0)
        (line,) = watching.stdout.readlines()
        assert "1 of 1 runs finished" in line
    assert watching.returncode == 0
    missing = subprocess.run([*COMMAND, str(tmp_path / "none")], capture_output=True, text=True, timeout=60, check=False)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no such results directory" in missing.stderr
