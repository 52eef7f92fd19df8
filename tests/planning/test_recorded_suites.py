"""The resolved suite beside the results stands for the runs by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.planning.load import load
from harness.planning.recorded import record_suite, resolved_suite
from harness.runs.recorded import recorded_suites

SUITE = """\
suite: small
environment: {family: deep_sea}
tasks:
  n3: {environment: {size: 3}, normalise: {low: 0, high: 1}}
  n4: {environment: {size: 4}}
algorithm: {name: ppo, n_envs: 2, n_steps: 16, batch_size: 16, n_epochs: 1}
methods:
  ppo: {}
  rnd: {reward: rnd, combine: sum}
seeds: 2
steps: 1e3
evaluation: {every: 32, episodes: 2}
tune: {trials: 3, space: {rnd: {config.learning_rate: {low: 1e-5, high: 1e-3}}}}
profiles:
  smoke: {steps: 64, seeds: 1}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SUITE)
    return tmp_path / "small.yaml"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"profile": "smoke"},
        {"overrides": [("methods.rnd.config.learning_rate", "1e-3"), ("algorithm.n_envs", "4")], "seeds": "3-5"},
        {"methods": ["ppo"], "tasks": ["n4"], "steps": 128},
    ],
    ids=["as written", "a profile", "options", "a selection"],
)
def test_the_recorded_suite_gives_the_same_runs(file: Path, tmp_path: Path, options: dict) -> None:
    plan = load(file, **options)
    record_suite(plan, tmp_path / "results")
    (recorded,) = recorded_suites([tmp_path / "results" / plan.runs[0].path])
    file.unlink()
    assert load(recorded).runs == plan.runs


def test_the_same_plan_leaves_one_file_and_another_a_second(file: Path, tmp_path: Path) -> None:
    for profile in (None, "smoke", "smoke"):
        record_suite(load(file, profile=profile), tmp_path)
    assert len(recorded_suites([tmp_path / "small" / "n3" / "ppo-0" / "seed-0"])) == 2


def test_what_cannot_be_kept_is_no_reason_to_stop(file: Path, tmp_path: Path) -> None:
    (tmp_path / "small").write_text("in the way")
    record_suite(load(file), tmp_path)
    assert resolved_suite(load(file))
