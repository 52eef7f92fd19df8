"""A plan: where each of its values comes from, and what it leaves for later."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UnknownNameError
from harness.planning.expand import expand
from harness.planning.load import Plan, load
from harness.suites.model import Suite

SUITE = """\
suite: small
environment: {family: deep_sea}
tasks:
  n4: {environment: {size: 4}}
algorithm:
  name: ppo
  n_steps: 16
  batch_size: 32
methods:
  ppo:
    algorithm: {gamma: 0.9}
  rnd:
    reward: rnd
    combine: sum
    config:
      feature_dim: 16
seeds: 2
steps: 2048
evaluation: {every: 512}
profiles:
  tiny:
    steps: 512
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "small.yaml").write_text(SUITE)
    return load(tmp_path / "small.yaml", profile="tiny", overrides=[("methods.rnd.config.learning_rate", "0.5")], seeds="3-4")


@pytest.mark.parametrize(
    ("key", "value", "kind", "origin"),
    [
        ("tasks.n4.environment.size", 4, "suite", "small.yaml:4"),
        ("methods.rnd.algorithm.n_steps", 16, "suite", "small.yaml:7"),
        ("methods.ppo.algorithm.gamma", 0.9, "suite", "small.yaml:11"),
        ("methods.rnd.algorithm.gamma", 0.99, "default", "default of algorithm 'ppo'"),
        ("methods.rnd.algorithm.n_envs", 32, "family default", "default of the environment family"),
        ("methods.rnd.combine.mode", "sum", "suite", "small.yaml:14"),
        ("methods.rnd.combine.extrinsic_weight", 2.0, "preset", "preset 'burda2018' of method 'rnd'"),
        ("methods.rnd.config.feature_dim", 16, "suite", "small.yaml:16"),
        ("methods.rnd.config.learning_rate", 0.5, "option", "--set methods.rnd.config.learning_rate=0.5"),
        ("methods.rnd.config.bonus_gamma", 0.99, "preset", "preset 'burda2018' of method 'rnd'"),
        ("steps", 512, "profile", "small.yaml:22"),
        ("seeds", [3, 4], "option", "--seeds 3-4"),
        ("evaluation.episodes", 10, "default", "default of the suite"),
    ],
)
def test_every_value_knows_what_gave_it(plan: Plan, key: str, value: object, kind: str, origin: str) -> None:
    found = plan.source(key)
    assert (found.value, found.kind) == (value, kind)
    assert found.origin.endswith(origin)


def test_the_values_are_those_of_the_runs(plan: Plan) -> None:
    spec = plan.first_run("rnd")
    assert spec.reward is not None
    blocks = {"algorithm": spec.algorithm.config, "config": spec.reward.config, "combine": spec.reward.combine.model_dump()}
    for block, values in blocks.items():
        for key, value in values.items():
            assert plan.source(f"methods.rnd.{block}.{key}").value == value
    for key, value in spec.environment.config.items():
        assert plan.source(f"tasks.n4.environment.{key}").value == value


def test_an_unknown_value_names_the_nearest(plan: Plan) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'methods\.rnd\.config\.feature_dim'"):
        plan.source("methods.rnd.config.feature_dims")


def test_a_name_of_a_task_that_fills_a_setting_is_its_source(plan: Plan) -> None:
    suite = Suite.model_validate(
        {
            "suite": "named",
            "environment": {"family": "minigrid"},
            "tasks": {"DoorKey-8x8": {}},
            "algorithm": {"name": "ppo"},
            "methods": {"ppo": {}},
            "seeds": 1,
            "steps": 100_000,
            "evaluation": {"every": 1000},
        }
    )
    found = expand(suite).source("tasks.DoorKey-8x8.environment.task")
    assert (found.kind, found.origin) == ("task name", "name of the task")
    assert expand(suite).source("steps").origin == "the suite"


def test_a_snapshot_is_looked_for_when_runs_start_and_not_before(tmp_path: Path) -> None:
    file = tmp_path / "begun.yaml"
    file.write_text(SUITE.replace("reward: rnd\n", "reward: rnd\n    snapshot: results/{task}/nowhere\n"))
    assert all(spec.start is None for spec in load(file).runs)
