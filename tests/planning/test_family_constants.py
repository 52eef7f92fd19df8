"""Constants that normalise scores: the suite's own, and what an environment family agrees on where it says nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.planning.load import load
from harness_procgen.games import SCORE_RANGES

ROOT = Path(__file__).parents[2]
SUITE = """
suite: own
environment: {{family: {family}}}
tasks: {{{task}: {{}}}}
algorithm: {{name: ppo, n_envs: 4, n_steps: 16, batch_size: 32{network}}}
methods: {{ppo: {{}}}}
seeds: 1
steps: 2048
evaluation: {{every: 512, episodes: 2}}
"""


def write(folder, family, task, network=""):
    file = folder / "own.yaml"
    file.write_text(SUITE.format(family=family, task=task, network=network and f", network: {network}"))
    return file


@pytest.mark.parametrize(
    ("family", "task", "network", "low", "high", "source"),
    [
        ("minigrid", "DoorKey-8x8", "minigrid", 0.0, 1.0, "minigrid_env.py"),
        ("procgen", "caveflyer", "impala", 2.0, 13.4, "hard mode"),
    ],
)
def test_a_suite_of_ones_own_has_the_constants_of_its_family(tmp_path, family, task, network, low, high, source):
    plan = load(write(tmp_path, family, task, network))
    (run,) = plan.runs
    assert run.normalise is not None
    assert (run.normalise.low, run.normalise.high) == (low, high)
    assert source in run.normalise.source
    found = plan.source(f"tasks.{task}.normalise.high")
    assert (found.value, found.kind, found.origin) == (high, "family default", f"environment family {family!r}")
    own = load(tmp_path / "own.yaml", overrides=[(f"tasks.{task}.normalise", "{low: 1, high: 3, source: mine}")])
    assert (own.runs[0].normalise.low, own.runs[0].normalise.high) == (1, 3)
    assert own.source(f"tasks.{task}.normalise.high").kind == "option"
    assert own.runs[0].digest == run.digest


def test_modes_and_families_without_agreed_constants_have_none(tmp_path):
    file = write(tmp_path, "procgen", "maze", "impala")
    memory = load(file, overrides=[("environment.distribution_mode", "memory")])
    explored = load(file, overrides=[("environment.distribution_mode", "exploration")])
    assert memory.runs[0].normalise is None
    assert (explored.runs[0].normalise.low, explored.runs[0].normalise.high) == (0, 10)  # as suites/procgen_hard.yaml
    assert load(write(tmp_path, "deep_sea", "n4")).runs[0].normalise is None


def test_constants_of_procgen_are_those_of_its_authors():
    with (ROOT / "results" / "published" / "constants.csv").open() as text:
        rows = [row for row in csv.DictReader(text) if row["environment"].startswith("procgen/")]
    published = {row["environment"]: (float(row["low"]), float(row["high"])) for row in rows}
    ours = {f"procgen/{game}[{mode}]": range_ for mode, games in SCORE_RANGES.items() for game, range_ in games.items()}
    assert ours == published
