"""The settings of executors in a suite: what they mean, and one clear line for everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import experiment
from harness.errors import SuiteError

SUITE = """\
suite: tiny
environment: {family: deep_sea, size: 4}
tasks: {sea: }
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods: {ppo: }
seeds: 1
steps: 512
evaluation: {every: 256}
executor:
  slurm: {partition: gpu, time: 4h}
profiles:
  smoke: {executor: {slurm: {time: 10m}}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(SUITE)
    return file


def settings(suite: Path, **options) -> dict:
    config = experiment.plan(suite, **options).executor_config("slurm")
    assert config is not None
    return config.model_dump()


def test_settings_come_from_the_suite_its_profile_and_the_command_line(suite):
    assert settings(suite).items() >= {"partition": "gpu", "time": 240, "gpus": 0}.items()
    assert settings(suite, profile="smoke")["time"] == 10
    changed = settings(suite, profile="smoke", overrides=[("executor.slurm.time", "8h"), ("executor.slurm.gpus", "1")])
    assert changed.items() >= {"partition": "gpu", "time": 480, "gpus": 1}.items()


def test_they_change_no_run(suite):
    plain = suite.with_name("plain.yaml")
    plain.write_text(
        "".join(
            line
            for line in SUITE.splitlines(keepends=True)
            if "slurm" not in line and "executor" not in line and "profiles" not in line
        )
    )
    assert experiment.plan(plain).runs == experiment.plan(suite).runs
    assert experiment.plan(plain).executor_config("slurm").model_dump()["time"] == 240
    assert experiment.plan(plain).executor_config("local") is None


def test_where_each_comes_from_is_known(suite):
    plan = experiment.plan(suite, overrides=[("executor.slurm.gpus", "1")])
    origins = {key: plan.source(f"executor.slurm.{key}") for key in ("partition", "gpus", "mem")}
    assert origins["partition"].origin.endswith("tiny.yaml:10")
    assert origins["gpus"].origin == "--set executor.slurm.gpus=1"
    assert origins["mem"].origin == "default of executor 'slurm'"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("slurm: {partitoin: gpu}", "tiny.yaml:10: executor.slurm.partitoin: executor 'slurm': unknown key 'partitoin': "
         "did you mean 'partition'?"),
        ("slrum: {time: 4h}", "tiny.yaml:10: executor.slrum: unknown executor 'slrum': did you mean 'slurm'?"),
        ("slurm: {time: soon}", "tiny.yaml:10: executor.slurm.time: executor 'slurm': expected a time such as 4h, 90m, 2d, "
         "1-12:00:00 or 04:00:00, got 'soon'"),
        ("slurm: {gpus: -1}", "tiny.yaml:10: executor.slurm.gpus: executor 'slurm': expected at least 0, got -1"),
        ("ray: {adress: auto}", "tiny.yaml:10: executor.ray.adress: executor 'ray': unknown key 'adress': "
         "did you mean 'address'?"),
        ("local: {workers: 2}", "tiny.yaml:10: executor.local: executor 'local' has no settings: leave them out"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_the_nearest_name(suite, written, message):
    suite.write_text(SUITE.replace("slurm: {partition: gpu, time: 4h}", written).partition("profiles")[0])
    with pytest.raises(SuiteError) as refusal:
        experiment.plan(suite)
    assert message in str(refusal.value)


def test_a_mistake_on_the_command_line_names_the_option(suite):
    with pytest.raises(SuiteError) as refusal:
        experiment.plan(suite, overrides=[("executor.slurm.tyme", "8h")])
    assert "--set executor.slurm.tyme=8h" in str(refusal.value)
    assert "did you mean 'time'?" in str(refusal.value)


def test_an_empty_block_sets_nothing(suite):
    for written in ("slurm:", "slurm: {}"):
        suite.write_text(SUITE.replace("slurm: {partition: gpu, time: 4h}", written).partition("profiles")[0])
        assert settings(suite)["time"] == 240
    suite.write_text(SUITE.partition("executor:")[0] + "executor:\n")
    assert settings(suite)["time"] == 240
