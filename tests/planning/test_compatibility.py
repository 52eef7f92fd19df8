"""What SAC asks of a suite, told with file, line and remedy before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.off_policy import registry

from harness.errors import SuiteError
from harness.planning.load import load
from harness.spec import Combination, RunSpec

SUITE = """\
suite: s
environment: {family: point_mass}
tasks: {one: {}}
algorithm:
  name: sac
  learning_starts: 100
  ALGORITHM
methods:
  none: {}
  m: METHOD
seeds: 1
steps: 5000
evaluation: {every: 1000}
"""


def plan(tmp_path: Path, method: str = "{reward: rnd}", algorithm: str = "batch_size: 64", **changes: str) -> list[RunSpec]:
    text = SUITE.replace("ALGORITHM", algorithm).replace("METHOD", method)
    for old, new in changes.items():
        text = text.replace(f"{old}:", f"{old}: {new} #")
    file = tmp_path / "suite.yaml"
    file.write_text(text)
    return list(load(file, registry=registry()).runs)


def refusal(tmp_path: Path, *args: str, **changes: str) -> str:
    with pytest.raises(SuiteError) as caught:
        plan(tmp_path, *args, **changes)
    return str(caught.value)


def combination(tmp_path: Path, method: str) -> Combination:
    reward = plan(tmp_path, method)[1].reward
    assert reward is not None
    return reward.combine


def test_a_bonus_published_with_two_critics_is_summed_at_its_relative_weight(tmp_path):
    published = combination(tmp_path, "{reward: rnd, algorithm: {name: ppo}}")
    assert (published.mode, published.extrinsic_weight, published.intrinsic_weight) == ("two_critics", 2, 1)
    assert combination(tmp_path, "{reward: rnd}") == Combination(mode="sum", extrinsic_weight=1, intrinsic_weight=0.5)


def test_only_a_sum_with_a_normalised_bonus_has_a_start_of_its_normaliser(tmp_path):
    starts = {
        "{reward: rnd}": "horizon",
        "{reward: rnd, combine: {normaliser_start: prior}}": "prior",
        "{reward: rnd, config: {bonus_normalisation: none}}": "prior",
        "{reward: snd_vic}": "prior",
        "{reward: encoding}": "prior",
        "{reward: rnd, algorithm: {name: ppo}}": "prior",
        "{reward: rnd, algorithm: {name: ppo}, combine: sum}": "horizon",
    }
    for method, start in starts.items():
        assert combination(tmp_path, method).normaliser_start == start, method
    error = refusal(tmp_path, "{reward: rnd, algorithm: {name: ppo}, combine: {normaliser_start: horizon}}")
    assert "has no effect with mode 'two_critics', only with 'sum'" in error


def test_what_the_suite_says_goes_over_it(tmp_path):
    assert combination(tmp_path, "{reward: rnd, combine: {intrinsic_weight: 3}}") == Combination(
        mode="sum", extrinsic_weight=1, intrinsic_weight=3
    )
    explicit = combination(tmp_path, "{reward: rnd, combine: sum}")
    assert (explicit.mode, explicit.extrinsic_weight, explicit.intrinsic_weight) == ("sum", 2, 1)


def test_two_critics_must_not_be_asked_of_sac(tmp_path):
    message = refusal(tmp_path, "{reward: rnd, combine: two_critics}")
    assert "suite.yaml:10: methods.m.combine" in message
    assert "algorithm 'sac' cannot combine rewards by 'two_critics': write 'combine: sum'" in message
    assert "no effect with mode 'sum'" in refusal(tmp_path, "{reward: rnd, combine: {episodic: true}}")


def test_discrete_actions_are_refused(tmp_path):
    message = refusal(tmp_path, environment="{family: deep_sea}")
    assert message == (
        f"{tmp_path}/suite.yaml:5: algorithm.name: algorithm 'sac' needs continuous actions, which these tasks do not have:"
        " 'one' (family 'deep_sea'); use ppo there"
    )
    mixed = refusal(tmp_path, "{algorithm: {name: ppo}}", tasks="{one: {}, sea: {environment: {family: deep_sea}}}")
    assert mixed.count("needs continuous") == 1
    assert "'sea'" in mixed
    assert "'one'" not in mixed


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        ("buffer_size: 255", "buffer_size 255 is smaller than a batch of 256"),
        ("learning_starts: 5000", "suite.yaml:6: algorithm.learning_starts: 5000 leaves nothing of runs of 5000 steps"),
        ("log_every: 6000", "suite.yaml:7: algorithm.log_every: 6000 leaves nothing of runs of 5000 steps: take more"),
        (
            "ent_coef: auto_0",
            "algorithm.ent_coef: algorithm 'sac': expected a number from 0, auto, or auto_ and a",
        ),
        ("ent_coef: auto_e", "algorithm.ent_coef: algorithm 'sac': expected a number from 0"),
        ("ent_coef: -1", "algorithm.ent_coef: algorithm 'sac': expected a number from 0"),
        ("n_step: 3", "unknown key"),
    ],
)
def test_settings_that_cannot_work(tmp_path, algorithm, message):
    changes = {}
    if "learning_starts" in algorithm:
        changes, algorithm = {"learning_starts": "5000"}, "batch_size: 64"
    assert message in refusal(tmp_path, "{}", algorithm, **changes)


def test_a_method_of_another_algorithm_is_refused(tmp_path):
    message = refusal(tmp_path, "{reward: encoding, algorithm: {name: ppo}}")
    assert "method 'encoding' needs a learner of kind off_policy; algorithm 'ppo' is of kinds continuous, discrete," in message
    assert message.endswith("on_policy: use sac")


@pytest.mark.parametrize(("text", "initial"), [("auto", 1.0), ("auto_0.1", 0.1), ("0.2", 0.2)])
def test_entropy_coefficients(tmp_path, text, initial):
    config = plan(tmp_path, "{}", f"ent_coef: {text}")[0].algorithm.config
    assert registry().config_class(registry().algorithm("sac")).model_validate(config).initial_ent_coef == initial  # type: ignore[attr-defined]
