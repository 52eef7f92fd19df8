"""Runs on Gymnasium's environments: killed and resumed to the same numbers, and with every kind of space."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import kill_and_resume
import pytest
from support.specs import make_spec

from harness.errors import UserError
from harness.execution.attempt import attempt
from harness.runs.folder import RunFolder
from harness.spec import AlgorithmSpec, RunSpec
from harness.training.run import train

RND = {"warm_up_steps": 4, "feature_dim": 16, "hidden": [16], "minibatches": 1}


def spec(reward: str | None = None, **environment: Any) -> RunSpec:
    config: dict[str, Any] = {"config": RND, "combine": {"mode": "sum"}} if reward else {}
    return make_spec(family="gymnasium", environment={"id": "CartPole-v1", **environment}, reward=reward, **config)


@pytest.mark.slow
@pytest.mark.parametrize("reward", [None, "rnd"])
def test_killed_and_resumed_equals_unbroken(tmp_path: Path, reward: str | None) -> None:
    equal, line = kill_and_resume.check(spec(reward), tmp_path, kills=2, rng=random.Random(3))
    assert equal, line
    assert "killed 2 times" in line


SPACES = {"import": "support.gymnasium_envs", "id": "harness_tests/Spaces-v0"}


@pytest.mark.parametrize(
    ("spaces_of", "values"),
    [("nested", {}), ("bits", {"metrics": ["tiles"]}), ("whole", {}), ("dict", {"keys": ["camera"], "observation": "hwc"})],
)
@pytest.mark.parametrize("reward", [pytest.param(None, marks=pytest.mark.slow), "rnd"])
def test_ppo_learns_from_every_kind_of_space(
    tmp_path: Path, spaces_of: str, values: dict[str, Any], reward: str | None
) -> None:
    short = spec(reward, **SPACES, kwargs={"spaces_of": spaces_of}, **values).model_copy(update={"steps": 160})
    assert train(short, tmp_path, device="cpu").state == "finished"
    header, *rows = RunFolder.of(short, tmp_path).evaluations_file.read_text().splitlines()
    assert header.split(",")[4:] == ["success", *values.get("metrics", [])]
    assert all(row.split(",")[2] == "15.0" for row in rows)


def test_a_failure_within_a_run_is_its_message_and_no_traceback(tmp_path: Path) -> None:
    outcome = attempt(spec(**SPACES, kwargs={"spaces_of": "whole", "fault": "nan"}), tmp_path, device="cpu")
    assert outcome.ending == "failed"
    assert "harness_tests/Spaces-v0, step 2 of an episode: observation holds numbers that are not finite" in outcome.error


def test_an_algorithm_refuses_actions_that_it_does_not_learn(tmp_path: Path) -> None:
    sac = spec().model_copy(update={"algorithm": AlgorithmSpec(name="sac", config={})})
    with pytest.raises(UserError, match="continuous"):
        train(sac, tmp_path, device="cpu")
