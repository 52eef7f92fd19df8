"""Proto-RL in a suite: an encoder that does not fit is refused before anything starts, where it was written."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import SuiteError
from harness.planning.expand import expand
from harness.planning.load import load
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
    return [message for message in refusals({"reward": "proto_rl", "config": config}) if "do not show" in message]


def refusals(method: dict[str, Any]) -> list[str]:
    """What is wrong with a suite of this method on PPO; something always is, for the method does not run on it."""
    with pytest.raises(SuiteError) as caught:
        expand(Suite.model_validate(suite(method)))
    return [error.message for error in getattr(caught.value, "errors", [caught.value])]


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
        load(file)


def test_an_algorithm_that_it_does_not_run_on_is_refused() -> None:
    wanted = "method 'proto_rl' needs a learner of kind off_policy; algorithm 'ppo' is of kinds "
    assert any(message.startswith(wanted) for message in refusals({"reward": "proto_rl"}))
