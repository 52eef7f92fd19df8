"""Fault d: the exit code speaks of the plan, not of what this process happened to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.claims import elsewhere, write_claim

from harness.planning.load import load
from harness.runs.folder import RunFolder

RESULTS = Path("results")
SUITE = """
suite: sea
environment: {family: deep_sea}
tasks: {n5: {environment: {size: 5}}}
algorithm: {name: ppo, n_envs: 4, n_steps: 20, batch_size: 40, n_epochs: 1}
methods: {ppo: {}}
seeds: 1
steps: STEPS
evaluation: {every: STEPS, episodes: 1}
checkpoint: {every: 160}
"""


RUN = ("run", "sea.yaml", "--device", "cpu", "--no-report")


def start() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", *RUN]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def the_run(workplace: Path, steps: int) -> RunFolder:
    (workplace / "sea.yaml").write_text(SUITE.replace("STEPS", str(steps)))
    (spec,) = load(workplace / "sea.yaml").runs
    return RunFolder.of(spec, workplace / RESULTS)


def test_fault_d_without_waiting_the_exit_code_says_that_the_plan_is_not_whole(workplace, harness):
    folder = the_run(workplace, 160)
    write_claim(folder.path / "claim", elsewhere())
    code, output, _ = harness(*RUN, "--no-wait")
    assert code == 1, output
    assert "skipped" in output
    assert "in use by process" in output
    (folder.path / "claim").unlink()
    code, output, _ = harness(*RUN, "--no-wait")
    assert code == 0, output


@pytest.mark.slow
def test_fault_d_who_waits_for_a_run_finishes_it_when_its_owner_is_killed(workplace):
    folder = the_run(workplace, 24_000)
    first = start()
    while not list(folder.checkpoint.glob("step-*")):
        assert first.poll() is None
        time.sleep(0.05)
    second = start()
    assert second.stdout is not None
    while "waiting " not in (line := second.stdout.readline()):
        assert line
    assert "in use by process" in line
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    output, _ = second.communicate(timeout=300)
    assert second.returncode == 0, output
    assert "1 of 1 runs finished" in output
    status = folder.read().status
    assert [entry.state for entry in status.history] == ["running", "running", "finished"]
