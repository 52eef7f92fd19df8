"""A run of a second, and what the tracker has written of it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SUITE = """
suite: moment
environment: {family: deep_sea, size: 4}
tasks: {n4: {}}
algorithm: {name: ppo, n_envs: 2, n_steps: 8, batch_size: 8, n_epochs: 1}
methods: {ppo: {}}
seeds: 1
steps: 32
evaluation: {every: 32, episodes: 1}
trackers: {jsonlog: {folder: lines}}
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    place = tmp_path_factory.mktemp("jsonlog")
    (place / "moment.yaml").write_text(SUITE)
    command = [sys.executable, "-m", "harness", "run", "moment.yaml", "--workers", "1", "--no-report"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = (place / "lines").glob("run-*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_it_begins_with_the_specification(lines: list[dict[str, Any]]) -> None:
    assert lines[0]["spec"]["task"] == "n4"
    assert lines[0]["step"] == -1


def test_every_update_and_the_evaluation_are_there(lines: list[dict[str, Any]]) -> None:
    logged = [line for line in lines if "metrics" in line]
    assert [line["step"] for line in logged] == [16, 32, 32]
    assert "eval/mean_reward" in logged[-1]["metrics"]
    assert lines[-1] == {"ended": "finished"}
