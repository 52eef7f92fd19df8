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
from harness.runs.kept import kept_step
from harness.runs.status import summarise_plan

RESULTS = Path("results")
CELLS = """
suite: cells
environment: {family: minigrid}
tasks: {Empty-5x5: {}, DoorKey-5x5: {}}
algorithm: {name: ppo, network: minigrid, n_envs: 4, n_steps: 16, batch_size: 32}
methods:
  rnd: {reward: rnd, config: {feature_dim: 16}}
  fits: {reward: rnd, config: {feature_dim: 16, architecture: mlp}}
seeds: 100
steps: 2048
evaluation: {every: 1024, episodes: 2}
"""
KEEP_ALL = [("checkpoint.every", "500_000")]


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
    command = ("run", "small.yaml", "--steps", "512", "--workers", "1")

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


FAULTY = """
import gymnasium

class Faulty(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Box(-1, 1, (2,)), gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return self.observation_space.low, {}

    def step(self, action):
        raise LookupError("of all things")

gymnasium.register("Faulty-v0", Faulty)
"""


def test_failing_run_is_named_and_the_others_finish(workplace, monkeypatch):
    (workplace / "faulty.py").write_text(FAULTY)
    monkeypatch.setenv("PYTHONPATH", str(workplace))
    suite = workplace / "small.yaml"
    faulty = "  bad: {environment: {family: gymnasium, id: Faulty-v0, import: faulty}}\n"
    suite.write_text(suite.read_text().replace("algorithm:", f"{faulty}algorithm:", 1))
    options = ("--task", "n4", "--seeds", "1", "--steps", "256", "--workers", "1")
    code, lines, errors = finish("run", "small.yaml", *options, "--task", "bad", "--no-report")
    assert (code, errors) == (1, "")
    assert "4 runs: 2 finished, 2 failed" in lines
    failure = next(line for line in lines if line.startswith("failed: "))
    assert failure.startswith("failed: bad/ppo/seed-0: Faulty-v0, step 1 of an episode: it raised LookupError: of all things")
    log = Path(failure.rpartition("(log: ")[2].rstrip(")"))
    assert "Traceback" in log.read_text()
    assert not Path("results/small/report").exists()

    code, lines, _ = finish("run", "small.yaml", *options, "--method", "ppo", "--fresh", "--no-report")
    assert code == 0
    assert lines[0] == "small: 1 run, 0 finished, 1 to go; results in results/small"
    assert log.exists()  # of a run that was not in this plan


@pytest.mark.usefixtures("built_here")
def test_fault_l_what_cannot_be_built_is_told_before_anything_is_started(workplace, harness):
    suite = workplace / "small.yaml"
    suite.write_text(suite.read_text().replace("ppo: {}", "ppo: {}\n  misfit: {algorithm: {network: burda2018}}"))
    for command in (("check", "small.yaml"), ("run", "small.yaml", "--workers", "2")):
        code, output, errors = harness(*command)
        assert (code, output) == (2, "")
        assert "method 'misfit' cannot be built on tasks 'n4', 'n5': " in errors
        assert "'methods.misfit.algorithm.network: sb3'" in errors
        assert errors.count("cannot be built") == 1
    assert not Path("results").exists()
    assert harness("check", "small.yaml", "--no-build")[0] == 0


@pytest.mark.usefixtures("built_here")
def test_fault_l_rnd_on_the_seven_by_seven_cells_of_minigrid(workplace, harness):
    Path("cells.yaml").write_text(CELLS)
    code, output, errors = harness("check", "cells.yaml")
    assert (code, output) == (2, "")
    tasks = ("'Empty-5x5', 'DoorKey-5x5'", "'DoorKey-5x5', 'Empty-5x5'")
    causes = [f"error: cells.yaml: method 'rnd' cannot be built on tasks {both}: images of 7x7 pixels" for both in tasks]
    assert errors.startswith(tuple(causes))
    for choice in ("architecture: mlp", "convolutions: raileanu2020"):
        assert f"'methods.rnd.config.{choice}'" in errors


OTHERS = [pytest.param(number, marks=pytest.mark.slow) for number in (signal.SIGTERM, signal.SIGUSR1)]
"""Every signal is tried with quick runs in ``execution/test_stopping.py``."""


@pytest.mark.parametrize("number", [signal.SIGINT, *OTHERS], ids=lambda it: it.name)
def test_signals_let_runs_save_and_the_message_says_what_the_disk_holds(workplace, number):
    options = ("--task", "n4", "--method", "ppo", "--seeds", "1", "--steps", "1_000_000", "--set", "checkpoint.every=500_000")
    process = start("run", "small.yaml", "--workers", "1", *options)
    try:
        (spec,) = load("small.yaml", methods=["ppo"], tasks=["n4"], seeds="1", steps=1_000_000, overrides=KEEP_ALL).runs
        folder = RunFolder.of(spec, RESULTS)
        wait_for(lambda: len(read_csv_rows(folder.progress_file)[1]) > 3, seconds=180)
        os.killpg(process.pid, number)  # as a terminal, systemd and Slurm do
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, errors) == (130, "")
    step = kept_step(folder)
    assert step
    assert folder.read().status.step == step
    assert folder.read().status.state == "interrupted"
    *_, stopping, stopped, _, kept, last = output.splitlines()
    assert "stopping: 1 run saves at the next update (n4/ppo/seed-0); a second Ctrl-C or signal stops at once" in stopping
    assert stopped.endswith("stopped   n4/ppo/seed-0")
    assert kept == f"  n4/ppo/seed-0: {step:,} of 1,000,000 steps kept"
    assert last == "interrupted: 0 of 1 runs finished, 1 stopped; the same command goes on from there"


def test_two_signals_stop_at_once_and_the_message_claims_nothing_that_is_not_there(workplace):
    process = start("run", "small.yaml", "--workers", "2", "--steps", "1_000_000", "--set", "checkpoint.every=1_000_000")
    try:
        assert process.stdout
        assert sum("started" in next(process.stdout) for _ in range(3)) == 2
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, errors) == (130, "")
    assert output.splitlines()[-3:] == [
        "  n4/ppo/seed-0: nothing saved yet, so it begins anew",
        "  n4/rnd/seed-0: nothing saved yet, so it begins anew",
        "interrupted: 0 of 8 runs finished, 2 running, 6 waiting; the same command goes on from there",
    ]


def test_under_nohup_a_closed_terminal_stops_nothing(workplace):
    options = ("--task", "n4", "--method", "ppo", "--seeds", "1", "--steps", "256", "--no-report")
    process = start("run", "small.yaml", *options, hang_up=signal.SIG_IGN)
    output, errors = signalled_when_started(process, signal.SIGHUP)
    assert (process.returncode, errors) == (0, "")
    assert "finished" in output
