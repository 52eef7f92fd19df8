"""Commands that train nothing answer at once: what is heavy is not even imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {"torch", "stable_baselines3", "matplotlib", "polars", "pandas", "scipy", "optuna", "tensorboard", "rliable"}
MODERATE = {"numpy", "gymnasium", "ale_py", "envpool"}  # what 'list' needs to say which environments are installed

PROBE = """
import sys
from harness.cli import main
code = main(sys.argv[1:])
loaded = sorted(set(sys.modules) & {heavy!r})
print("LOADED", *loaded, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "command",
    [
        "--help", "--version", "list", "list suites --dir .", "show ppo", "show atari", "check small.yaml --no-build",
        pytest.param("check small.yaml", marks=pytest.mark.slow), "schema", "run small.yaml --set steps=-1", "status .",
        "watch nowhere",
    ],
)  # fmt: skip
def test_light_command_loads_nothing_heavy(workplace, command):
    heavy = HEAVY if command.startswith("list") else HEAVY | MODERATE
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(heavy=heavy), *command.split()],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert done.returncode == (2 if command.endswith(("-1", "status .", "nowhere")) else 0)
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "LOADED"
