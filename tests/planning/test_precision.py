"""The formats of networks: what suites may write, and what becomes of the identity of runs."""

from __future__ import annotations

from typing import Any

import pytest
from toy_plugin import toy_registry

from harness.errors import SuiteError
from harness.planning.expand import expand
from harness.registry import installed
from harness.spec import Precision, RunSpec
from harness.suites.model import Suite

BOTH = Precision(policy="bf16", bonus="bf16")


def runs(**changes: Any) -> dict[str, RunSpec]:
    suite = {
        "suite": "quick",
        "environment": {"family": "deep_sea"},
        "tasks": {"small": {"environment": {"size": 6}}},
        "algorithm": {"name": "ppo", "n_envs": 4},
        "methods": {"ppo": {}, "rnd": {"reward": "rnd"}},
        "seeds": 1,
        "steps": 2048,
        "evaluation": {"every": 1024},
        **changes,
    }
    return {run.method: run for run in expand(Suite.model_validate(suite), installed()).runs}


@pytest.mark.parametrize("written", ["float32", {}, {"policy": "float32"}, {"policy": "float32", "bonus": "float32"}])
def test_float32_leaves_no_trace(written: object) -> None:
    for run, plain in zip(runs(precision=written).values(), runs().values(), strict=True):
        assert "precision" not in run.model_dump()
        assert (run.digest, run.method_digest) == (plain.digest, plain.method_digest)


def test_bf16_is_part_of_the_identity() -> None:
    plain, ours = runs()["rnd"], runs(precision="bf16")["rnd"]
    assert ours.precision == BOTH
    assert ours.digest != plain.digest and ours.method_digest != plain.method_digest
    assert RunSpec.model_validate_json(ours.model_dump_json()) == ours
    half = runs(precision={"policy": "bf16"})["rnd"]
    assert half.precision == Precision(policy="bf16", bonus="float32")
    assert len({one.digest for one in (plain, ours, half)}) == 3


def test_without_a_bonus_it_has_no_format() -> None:
    assert runs(precision="bf16")["ppo"] == runs(precision={"policy": "bf16"})["ppo"]
    assert runs(precision={"bonus": "bf16"})["ppo"] == runs()["ppo"]


def test_a_method_may_have_its_own() -> None:
    methods = {"rnd": {"reward": "rnd"}, "rnd_float32": {"reward": "rnd", "precision": "float32"}}
    found = runs(precision="bf16", methods=methods)
    assert found["rnd"].precision == BOTH
    assert found["rnd_float32"].precision == Precision()
    assert found["rnd_float32"].digest == runs()["rnd"].digest


def test_every_value_has_its_place() -> None:
    suite = {
        "suite": "quick", "environment": {"family": "deep_sea"}, "tasks": {"small": {"environment": {"size": 6}}},
        "algorithm": {"name": "ppo", "n_envs": 4}, "methods": {"rnd": {"reward": "rnd", "precision": {"policy": "bf16"}}},
        "seeds": 1, "steps": 2048, "evaluation": {"every": 1024}, "precision": "bf16",
    }  # fmt: skip
    sources = expand(Suite.model_validate(suite), installed()).sources
    found = {key: (source.value, source.kind) for key, source in sources.items() if "precision" in key}
    assert found == {
        "precision.policy": ("bf16", "suite"),
        "precision.bonus": ("bf16", "suite"),
        "methods.rnd.precision.policy": ("bf16", "suite"),
        "methods.rnd.precision.bonus": ("float32", "default"),
    }


@pytest.mark.parametrize("place", ["suite", "method"])
def test_an_algorithm_that_has_no_bf16_refuses_it(place: str) -> None:
    suite: dict[str, Any] = {
        "suite": "toy",
        "environment": {"family": "maze"},
        "tasks": {"ring": {}},
        "algorithm": {"name": "duo"},
        "methods": {"novel": {"reward": "novel"}},
        "seeds": 1,
        "steps": 1000,
        "evaluation": {"every": 100},
    }
    target = suite if place == "suite" else suite["methods"]["novel"]
    target["precision"] = {"bonus": "bf16"}
    assert expand(Suite.model_validate(suite), toy_registry()).runs[0].precision.bonus == "bf16"
    target["precision"] = "bf16"
    with pytest.raises(
        SuiteError, match=r"'duo' does not run its networks in bf16: write precision: \{policy: float32, bonus: b"
    ):
        expand(Suite.model_validate(suite), toy_registry())


@pytest.mark.parametrize("written", ["bf17", {"policy": "half"}, {"polcy": "bf16"}, 16, ["bf16"]])
def test_other_formats_are_refused(written: object) -> None:
    with pytest.raises(ValueError, match="precision"):
        runs(precision=written)
