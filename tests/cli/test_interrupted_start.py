"""Fault t: Ctrl-C while a command starts prints one line, whatever is being imported just then."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

MILESTONES = ["pydantic", "typer", "harness.cli.app", "harness.planning.load", "pluggy"]


@pytest.mark.parametrize("command", ["list methods", "run small.yaml --dry-run"])
@pytest.mark.parametrize("milestone", MILESTONES)
def test_fault_t_an_interrupted_start_prints_one_line(workplace, command, milestone):
    """Python reports each module when it is imported, which says when to interrupt."""
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "harness", *command.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr and process.stdout
    reached, said = False, []
    for line in process.stderr:
        if not line.startswith("import time:"):
            said.append(line.rstrip("\n"))
        elif line.split("|")[-1].strip().startswith(milestone) and not reached:
            reached = True
            process.send_signal(signal.SIGINT)
    process.stdout.close()
    process.stderr.close()
    code = process.wait()
    if reached and said:
        # A shell says 130 in both cases. Python ends itself by the signal where it came into an extension's own Python code.
        assert (code in (130, -signal.SIGINT), said) == (True, ["interrupted"])
    else:  # the command does not import it, or was faster
        assert (code, said) in [(0, []), (-signal.SIGINT, [])]
