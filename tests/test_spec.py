"""Identity and seeds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from support.specs import make_spec

from harness.spec import CONFIRMATION_SEEDS, TUNING_SEEDS, Normalisation, Purpose, RunSpec, derive_seeds
from harness.suites.model import Seed
from harness.tuning.trials import confirmation_seeds, trial_seeds


def test_a_spec_is_plain_json_and_comes_back() -> None:
    spec = make_spec(reward="rnd")
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_the_digest_changes_with_what_changes_the_numbers_only() -> None:
    spec = make_spec()
    same = {"suite": "other", "task": "other", "method": "other", "seed": 7, "normalise": Normalisation(low=0, high=1)}
    for name, value in same.items():
        assert spec.model_copy(update={name: value}).digest == spec.digest, name
    assert spec.model_copy(update={"steps": 1601}).digest != spec.digest
    assert make_spec(algorithm={"gamma": 0.98}).digest != spec.digest
    elsewhere = make_spec(environment={"size": 7})
    assert elsewhere.digest != spec.digest
    assert elsewhere.method_digest == spec.method_digest


def test_a_run_that_begins_its_normaliser_as_in_november_is_the_same_run() -> None:
    """Records of before there was a choice do not name it, and neither do those that it does not concern."""
    new = make_spec(reward="rnd", combine={"mode": "sum"})
    old = make_spec(reward="rnd", combine={"mode": "sum", "normaliser_start": "prior"})
    assert new.digest != old.digest
    written = json.loads(old.model_dump_json())
    assert "normaliser_start" not in written["reward"]["combine"]
    assert RunSpec.model_validate(written) == old
    assert RunSpec.model_validate_json(new.model_dump_json()) == new
    assert "normaliser_start" not in make_spec(reward="rnd").model_dump_json()


def test_version_1_is_what_runs_were_before_there_were_versions() -> None:
    spec = make_spec()
    written = json.loads(spec.model_dump_json())
    assert {"training_version", "replay_steps"}.isdisjoint(written)
    assert RunSpec.model_validate(written) == spec
    assert spec.model_copy(update={"checkpoint_every": 7}).digest != spec.digest
    assert (spec.digest, spec.method_digest) == ("33424818", "e23df5d0"), "results of November would be trained anew"


def test_from_version_2_on_it_is_not_part_of_the_identity_when_a_run_is_saved() -> None:
    old = make_spec()
    spec = old.model_copy(update={"training_version": 2})
    seldom = spec.model_copy(update={"checkpoint_every": 7})
    assert (seldom.digest, seldom.method_digest) == (spec.digest, spec.method_digest)
    assert old.digest != spec.digest and old.method_digest != spec.method_digest
    assert old.method_base_digest == spec.method_base_digest == spec.method_digest
    cut = spec.model_copy(update={"replay_steps": 100})
    assert cut.digest != spec.digest and cut.method_digest == spec.method_digest
    assert RunSpec.model_validate_json(cut.model_dump_json()) == cut


@pytest.mark.parametrize(("replay_steps", "steps", "bounded"), [(400, 1600, None), (399, 1600, 399), (None, 1600, None)])
def test_a_run_that_ends_before_it_is_cut_is_not_told_of_cuts(
    replay_steps: int | None, steps: int, bounded: int | None
) -> None:
    spec = make_spec(steps=steps).model_copy(update={"training_version": 2, "replay_steps": replay_steps})  # 4 environments
    assert spec.bounded.replay_steps == bounded


def test_specs_are_frozen_and_strict() -> None:
    spec = make_spec()
    with pytest.raises(ValidationError):
        spec.steps = 5
    with pytest.raises(ValidationError, match="Extra inputs"):
        RunSpec.model_validate(spec.model_dump() | {"stpes": 1})


PURPOSES = (Purpose.TRAINING, Purpose.EVALUATION, Purpose.NETWORKS)
SUITE_SEEDS = st.integers(0, TUNING_SEEDS - 1)
TRIAL_SEEDS = st.integers(TUNING_SEEDS, CONFIRMATION_SEEDS - 1)


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 50), st.integers(0, 50))
def test_purposes_never_share_a_seed(one: int, other: int, index: int, other_index: int) -> None:
    drawn = [
        set(derive_seeds(seed, purpose, i, 16))
        for purpose, seed, i in zip(PURPOSES, (one, other, one), (index, other_index, index), strict=True)
    ]
    assert all(0 <= seed < 2**31 for seeds in drawn for seed in seeds)
    assert not drawn[0] & drawn[1] | drawn[0] & drawn[2] | drawn[1] & drawn[2]


@given(SUITE_SEEDS, TRIAL_SEEDS, st.integers(CONFIRMATION_SEEDS, 2**40), st.integers(0, 50))
def test_evaluations_trials_and_confirmations_never_share_an_environment_seed(
    suite: int, trial: int, confirmation: int, index: int
) -> None:
    drawn = [
        (seed, purpose, set(derive_seeds(seed, purpose, index, 64)))
        for seed in (suite, trial, confirmation)
        for purpose in (Purpose.TRAINING, Purpose.EVALUATION)
    ]
    for i, (_, _, one) in enumerate(drawn):
        assert len({seed >> 27 for seed in one}) == 1 or drawn[i][0] == suite
        assert all(not one & other for _, _, other in drawn[i + 1 :])


def test_no_suite_can_name_a_seed_of_tuning() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Seed).validate_python(TUNING_SEEDS)
    assert TypeAdapter(Seed).validate_python(TUNING_SEEDS - 1) == TUNING_SEEDS - 1
    assert all(TUNING_SEEDS <= seed < CONFIRMATION_SEEDS for seed in trial_seeds(10_000))
    assert min(confirmation_seeds(3)) == CONFIRMATION_SEEDS


def test_seeds_depend_on_run_and_index() -> None:
    first = derive_seeds(0, Purpose.TRAINING, 0, 8)
    assert first == derive_seeds(0, Purpose.TRAINING, 0, 8)
    assert len(set(first)) == 8
    assert not set(first) & set(derive_seeds(1, Purpose.TRAINING, 0, 8))
    assert not set(first) & set(derive_seeds(0, Purpose.TRAINING, 1, 8))
