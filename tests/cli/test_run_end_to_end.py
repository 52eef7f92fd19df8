"""The main job on a real environment: run, be killed, go on, finish; and a failure that stays where it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from harness.planning.load import load
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.status import summarise_plan

RESULTS = Path("results")


def start(*arguments: str, hang_up: signal.Handlers = signal.SIG_DFL) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ,
        # The tests themselves may run under nohup, which is inherited. They have one thread, so this is safe.
        preexec_fn=partial(signal.signal, signal.SIGHUP, hang_up),  # noqa: PLW1509
    )


def finish(*arguments: str) -> tuple[int, list[str], str]:
    process = start(*arguments)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output.splitlines(), errors


def signalled_when_started(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, str]:
    """Its remaining output and errors; nothing is left running."""
    try:
        assert process.stdout
        next(line for line in process.stdout if "started" in line)
        process.send_signal(number)
        return process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()


def wait_for(condition, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_killed_in_the_middle_the_same_command_finishes_the_rest(workplace):
    plan = load("small.yaml", steps=512).runs
    command = ("run", "small.yaml", "--steps", "512", "--workers", "2")

    process = start(*command)
    try:
        wait_for(lambda: any(run.state == "finished" for run in summarise_plan(plan, RESULTS)))
        everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        os.killpg(process.pid, signal.SIGKILL)
        assert not psutil.wait_procs(everyone, timeout=10)[1]
    finally:
        process.kill()
        process.communicate()
    before = summarise_plan(plan, RESULTS)
    assert "missing" in {run.state for run in before}
    assert not {run.state for run in before} & {"running", "failed"}
    untouched = {run.folder.path: run.folder.progress_file.stat().st_mtime_ns for run in before if run.state == "finished"}

    code, lines, errors = finish(*command)
    assert (code, errors) == (0, "")
    assert lines[0].startswith(f"small: 8 runs, {len(untouched)} finished, {8 - len(untouched)} to go")
    assert "8 runs: 8 finished" in lines
    assert lines[-1] == "report: results/small/report/index.html"
    assert Path("results/small/report/index.html").stat().st_size > 10_000
    for spec in plan:
        folder = RunFolder.of(spec, RESULTS)
        _, rows = read_csv_rows(folder.progress_file)
        assert [int(row["time/total_timesteps"]) for row in rows] == list(range(64, 513, 64))
        assert folder.read().provenance["command"] == f"harness {' '.join(command)}"
    for path, changed in untouched.items():
        assert RunFolder(path).progress_file.stat().st_mtime_ns == changed

    code, lines, _ = finish(*command)
    assert code == 0
    assert lines[-2:] == [
        "nothing to do: 8 runs finished in results/small",
        "report: results/small/report/index.html",
    ]


def test_failing_run_is_named_and_the_others_finish(workplace):
    suite = workplace / "small.yaml"
    suite.write_text(suite.read_text().replace("ppo: {}", "ppo: {}\n  misfit: {algorithm: {network: burda2018}}"))
    options = ("--task", "n4", "--seeds", "1", "--steps", "256", "--workers", "1")
    code, lines, errors = finish("run", "small.yaml", *options, "--no-report")
    assert (code, errors) == (1, "")
    assert "3 runs: 2 finished, 1 failed" in lines
    (failure,) = [line for line in lines if line.startswith("failed: ")]
    assert failure.startswith("failed: n4/misfit/seed-0: ")
    log = Path(failure.rpartition("(log: ")[2].rstrip(")"))
    assert "Traceback" in log.read_text()
    assert not Path("results/small/report").exists()

    code, lines, _ = finish("run", "small.yaml", *options, "--method", "ppo", "--fresh", "--no-report")
    assert code == 0
    assert lines[0] == "small: 1 run, 0 finished, 1 to go; results in results/small"
    assert log.exists()  # of a run that was not in this plan


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_asked_to_stop_it_stops_and_says_how_to_go_on(workplace, number):
    process = start("run", "small.yaml", "--workers", "1")
    output, errors = signalled_when_started(process, number)
    assert (process.returncode, errors) == (130, "")
    assert output.splitlines()[-1] == (
        "interrupted: 0 of 8 runs finished; everything so far is kept, and the same command goes on from there"
    )


def test_under_nohup_a_closed_terminal_stops_nothing(workplace):
    process = start("run", "small.yaml", "--task", "n4", "--seeds", "1", "--steps", "256", hang_up=signal.SIG_IGN)
    output, errors = signalled_when_started(process, signal.SIGHUP)
    assert (process.returncode, errors) == (0, "")
    assert "finished" in output
