"""Runs are trained for a moment, and the report on them has the section."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
suite: moment
environment: {family: deep_sea, size: 4}
tasks: {n4: {}}
algorithm: {name: ppo, n_envs: 2, n_steps: 8, batch_size: 8, n_epochs: 1}
methods:
  ppo: {}
  rnd: {reward: rnd, combine: {mode: sum}}
seeds: 1
steps: 32
evaluation: {every: 32, episodes: 1}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("report")
    (place / "moment.yaml").write_text(SUITE)
    harness(place, "run", "moment.yaml", "--workers", "1", "--no-report")
    harness(place, "report", "results", "--out", "out", "--format", "md")
    assert (place / "out" / "figures" / "moment-training-time.svg").exists()
    return (place / "out" / "report.md").read_text()


def harness(place: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_method_has_a_row(report: str) -> None:
    section = report.partition("### Training time")[2].partition("###")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]
    assert [row[:2] for row in rows] == [["ppo", "1"], ["rnd", "1"]]
    assert all(cell.endswith(" s") for row in rows for cell in row[2:])


def test_it_stands_before_the_runs(report: str) -> None:
    assert report.index("### Tasks") < report.index("### Training time") < report.index("### Runs")
