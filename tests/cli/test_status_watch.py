"""``status --watch``: a table on a terminal, lines in a pipe, JSON for scripts; and what one look says of who holds a run."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
from report.synthetic import write_run, write_suite
from support.claims import Clock
from support.live_results import LiveRun

from harness.cli.display.changes import ChangeLines
from harness.cli.display.live import draw
from harness.experiment import StatusReader
from harness.watch.document import document_schema
from harness.watch.pace import Pace
from harness.watch.view import view

HARNESS = [
    sys.executable,
    "-c",
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from harness.cli import main; sys.exit(main(sys.argv[1:]))",
    "status",
    "--watch",
]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results"
    write_run(path, "north", "ppo", 0, 1.0)
    write_run(path, "south", "ppo", 0, state="failed", error="ValueError: no\x1b[2J\nreally", steps=[1000])
    write_run(path, "south", "rnd", 0, state="running", steps=[1000, 2000])
    return path


@pytest.fixture
def live(results: Path) -> Iterator[LiveRun]:
    run = LiveRun(results)
    run.progress(2500, 64.0)
    run.evaluate(2000, 3.5)
    yield run
    run.release()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, command: list[str], width: int, height: int) -> None:
        self.process, self.master = 0, 0
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.environ |= {"TERM": "xterm-256color", "COLUMNS": str(width), "LINES": str(height)}
            os.execv(command[0], command)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.written = ""

    def read_until(self, text: str, seconds: float = 120) -> None:
        """Read what is written until it holds a text."""
        give_up = time.monotonic() + seconds
        while text not in self.written:
            assert time.monotonic() < give_up, self.written
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.written += os.read(self.master, 1 << 16).decode()
                except OSError:  # it has ended
                    assert text in self.written, self.written

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code."""
        os.write(self.master, b"\x03")
        try:
            while select.select([self.master], [], [], 60)[0] and (more := os.read(self.master, 1 << 16)):
                self.written += more.decode()
        except OSError:
            pass
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def test_a_terminal_shows_the_runs_again_and_again_until_ctrl_c(results: Path, live: LiveRun) -> None:
    terminal = Terminal([*HARNESS, "--every", "0.2", str(results)], width=100, height=30)
    terminal.read_until("25%")
    live.progress(7500, 32.0)
    terminal.read_until("75%")
    assert terminal.interrupt() == 0
    assert "Traceback" not in terminal.written
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.written)
    for shown in (
        "4 runs: 1 finished, 1 running, 1 interrupted, 1 failed",
        "north/rnd/seed-0",
        "64",
        "3.500",
        f"pid {os.getpid()} on",
    ):
        assert shown in words
    assert "\x1b[2J" not in terminal.written  # which the failed run's error would do


@pytest.mark.parametrize(("width", "height"), [(200, 60), (80, 24), (60, 12), (38, 8), (20, 5)])
def test_any_terminal_is_wide_and_high_enough(results: Path, live: LiveRun, width: int, height: int) -> None:
    import io

    from rich.console import Console

    runs = [LiveRun(results, task, "a_method_with_a_long_name", seed) for task in ("east", "west") for seed in range(20)]
    found = view(StatusReader(results).look())
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)
    console.print(draw(found, "results/" + "long" * 30, 3.0, width, height))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    for run in runs:
        run.release()
    assert max(map(len, lines)) <= width
    assert len(lines) <= height
    assert "more at work" in console.file.getvalue() or height == 60  # type: ignore[attr-defined]
    assert ("pid" in console.file.getvalue()) == (width >= 80)  # type: ignore[attr-defined]


@pytest.fixture
def piped(results: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        command = [*HARNESS, "--every", "0.2", *options, str(results)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_pipe_gets_a_line_for_each_change(results: Path, live: LiveRun, piped) -> None:
    process = piped()
    first = [process.stdout.readline() for _ in range(4)]
    assert [line.split()[1] for line in first] == ["running", "failed", "interrupted", "4"]
    assert "25%, 2,500 of 10,000 steps  64 steps/s  1 min 57 s left  score 3.500" in first[0]
    assert f"held by pid {os.getpid()} on" in first[0]
    live.finish(6.0)
    later = [process.stdout.readline() for _ in range(2)]
    assert "finished     north/rnd/seed-0  score 6.000" in later[0]
    assert later[1].rstrip().endswith("4 runs: 2 finished, 1 interrupted, 1 failed")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")


def test_json_is_one_document_a_line(results: Path, live: LiveRun, piped) -> None:
    process = piped("--json")
    documents = [json.loads(process.stdout.readline()) for _ in range(3)]
    for document in documents:
        jsonschema.validate(document, document_schema())
    running = [run for run in documents[-1]["runs"] if run["state"] == "running"]
    assert [(run["holder"]["pid"], run["since"]) for run in running] == [(os.getpid(), "2026-11-27T10:00:00+00:00")]
    process.stdout.close()  # whoever read it has seen enough
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == ""


def test_one_look_as_json_has_the_same_schema(results: Path, live: LiveRun, harness) -> None:
    code, output, _ = harness("status", results, "--json")
    document = json.loads(output)
    jsonschema.validate(document, document_schema())
    assert code == 0
    states = {run["state"]: run for run in document["runs"]}
    assert states["running"]["holder"]["pid"] == os.getpid()
    assert [states[state]["holder"] for state in ("finished", "interrupted", "failed")] == [None] * 3


def test_what_does_not_go_together_is_refused(results: Path, harness) -> None:
    code, _, errors = harness("status", results, "--every", "2")
    assert (code, errors) == (2, "error: --every goes with --watch\n")
    code, _, errors = harness("status", results / "nowhere", "--watch")
    assert (code, errors) == (2, f"error: {results}/nowhere: no such results directory\n")


def test_a_watch_may_begin_before_the_first_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reader = StatusReader(tmp_path)
    changes = ChangeLines()
    assert [line[10:] for line in changes.lines(view(reader.look()))] == ["no runs yet"]
    run = LiveRun(tmp_path)
    lines = [line[10:] for line in changes.lines(view(reader.look()))]
    run.release()
    assert lines[0].startswith("running      north/rnd/seed-0  0%, 0 of 10,000 steps")
    assert lines[1:] == ["1 run: 1 running"]


def test_lines_tell_progress_now_and_then(results: Path, live: LiveRun) -> None:
    clock, reader = Clock(), StatusReader(results)
    changes = ChangeLines(clock)
    assert len(list(changes.lines(view(reader.look())))) == 4
    assert list(changes.lines(view(reader.look()))) == []
    told = []
    for step in range(2550, 5000, 100):  # a hundredth every two seconds
        clock.now += 2
        live.progress(step)
        told += changes.lines(view(reader.look()))
    assert [re.search(r"(\d+)%", line)[1] for line in told if "%" in line] == ["36", "46"]


def test_a_run_that_somebody_takes_up_again_is_starting(results: Path, live: LiveRun) -> None:
    live.fail("ValueError: no")
    assert [line.activity for line in view(StatusReader(results).look()).failed] == ["failed", "failed"]
    live.hold()
    (line,) = view(StatusReader(results).look()).active
    assert (line.name, line.activity, line.error) == ("north/rnd/seed-0", "starting", "")


def test_looking_takes_a_twentieth_of_the_time_at_most() -> None:
    clock = Clock()
    pace = Pace(3.0, clock)
    assert pace.seconds_to_wait == 0
    for took, wait in ((0.1, 2.9), (2.0, 38.0)):
        pace.begin()
        clock.now += took
        pace.end()
        assert pace.seconds_to_wait == pytest.approx(wait)
        clock.now += wait
        assert pace.seconds_to_wait == pytest.approx(0)


def test_a_look_at_many_runs_that_have_not_changed_is_cheap(tmp_path: Path) -> None:
    methods = {f"method_{i}": 1.0 for i in range(5)}
    results = write_suite(tmp_path / "results", methods, [f"task_{i}" for i in range(10)], seeds=4, steps=[1000])
    reader = StatusReader(results)
    seconds = []
    for _ in range(4):
        began = time.process_time()
        assert len(reader.look().runs) == 200
        seconds.append(time.process_time() - began)
    assert min(seconds[1:]) < seconds[0] / 3
