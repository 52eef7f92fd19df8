"""Proto-RL in a suite: an encoder that does not fit is refused before anything starts, where it was written."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import SuiteError
from harness.planning.expand import find_problems
from harness.planning.load import load_suite
from harness.registry import installed
from harness.suites.model import Suite


def suite(method: dict[str, Any], family: str = "deep_sea") -> dict[str, Any]:
    return {
        "suite": "test",
        "environment": {"family": family},
        "tasks": {"size_8": {"environment": {"size": 8}}},
        "algorithm": {"name": "ppo", "n_envs": 2, "n_steps": 8, "batch_size": 16},
        "methods": {"ours": method},
        "seeds": 1,
        "steps": 1000,
        "evaluation": {"every": 100},
    }


def required_observations_error(**config: Any) -> list[str]:
    parsed = Suite.model_validate(suite({"reward": "proto_rl", "config": config}))
    return [problem.message for problem in find_problems(parsed, installed()) if "needs" in problem.message]


def test_convolutions_are_refused_on_vectors() -> None:
    (message,) = required_observations_error(encoder="conv")
    assert message == (
        "encoder 'conv' of method 'proto_rl' needs images, which these tasks do not show: 'size_8' (family 'deep_sea'); "
        "choose another encoder, or leave them out"
    )


@pytest.mark.parametrize("encoder", ["auto", "identity", "mlp"])
def test_encoders_of_vectors_are_not(encoder: str) -> None:
    assert required_observations_error(encoder=encoder) == []


def test_the_refusal_names_the_line(tmp_path: Any) -> None:
    file = tmp_path / "suite.yaml"
    file.write_text(
        "suite: test\nenvironment: {family: deep_sea}\ntasks: {a: {environment: {size: 8}}}\nseeds: 1\nsteps: 20000\n"
        "evaluation: {every: 100}\nalgorithm: {name: ppo}\n"
        "methods:\n  ours:\n    reward: proto_rl\n    config:\n      encoder: conv\n"
    )
    with pytest.raises(SuiteError, match=r"suite\.yaml:12: methods\.ours\.config\.encoder.*needs images"):
        load_suite(file)


def test_an_algorithm_that_it_does_not_run_on_is_refused() -> None:
    parsed = Suite.model_validate(suite({"reward": "proto_rl"}))
    messages = [problem.message for problem in find_problems(parsed, installed())]
    assert "method 'proto_rl' does not run on algorithm 'ppo', only on: sac" in messages
